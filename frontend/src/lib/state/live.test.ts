import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Live, type PriceTick } from './live.svelte';

/** A feed whose frames the test writes. */
class Line {
	sent: { address: string; headers: Headers; signal: AbortSignal }[] = [];
	#write: ReadableStreamDefaultController<Uint8Array> | null = null;
	status = 200;

	answer = async (address: string | URL | Request, init?: RequestInit): Promise<Response> => {
		this.sent.push({ address: String(address), headers: new Headers(init?.headers), signal: init!.signal! });
		const body = new ReadableStream<Uint8Array>({ start: (controller) => void (this.#write = controller) });
		return new Response(this.status === 200 ? body : null, { status: this.status });
	};
	async says(text: string): Promise<void> {
		this.#write?.enqueue(new TextEncoder().encode(text));
		await vi.advanceTimersByTimeAsync(1);
	}
	async breaks(): Promise<void> {
		this.#write?.error(new TypeError('network error'));
		await vi.advanceTimersByTimeAsync(1);
	}
}

describe('Live', () => {
	let line: Line;
	let live: Live;
	const settle = (milliseconds = 1) => vi.advanceTimersByTimeAsync(milliseconds);

	beforeEach(() => {
		vi.useFakeTimers();
		line = new Line();
		live = new Live();
		vi.stubGlobal('fetch', line.answer);
	});
	afterEach(() => {
		live.stop();
		vi.useRealTimers();
		vi.unstubAllGlobals();
	});

	it('tells each listener what it asked for', async () => {
		const heard: PriceTick[] = [];
		live.onPrice('BTC', (tick) => heard.push(tick));
		live.start(1);
		await settle();
		await line.says('event: price\ndata: {"account":1,"symbol":"ETH","last":"1","time":1}\n\n');
		await line.says('event: price\ndata: {"account":1,"symbol":"BTC","last":"2","time":2}\n\n');
		expect(heard.map(({ last }) => last)).toEqual(['2']);
		expect(line.sent[0].address).toBe('/api/v1/live?account=1&symbols=BTC');
	});
	it('resumes after the last Event it saw', async () => {
		live.start(1);
		await settle();
		await line.says('id: 41\nevent: event\ndata: {}\n\n');
		await line.breaks();
		expect(live.state).toBe('offline');
		await settle(600);
		expect(line.sent[1].headers.get('Last-Event-ID')).toBe('41');
		expect(live.state).toBe('live');
	});
	it('hears an Event that committed late, and none twice', async () => {
		const heard: string[] = [];
		live.on('event', ({ text }) => heard.push(text));
		live.start(1);
		await settle();
		await line.says('id: 40\nevent: hello\ndata: {"time":"","recent":[40,38]}\n\n');
		await line.says('id: 42\nevent: event\ndata: {"text":"second"}\n\n');
		await line.says('id: 41\nevent: event\ndata: {"text":"first"}\n\n');
		await line.breaks();
		await settle(600);
		expect(line.sent[1].headers.get('Last-Event-ID')).toBe('42');
		await line.says('id: 42\nevent: hello\ndata: {"time":"","recent":[]}\n\n');
		for (const [id, text] of [
			[38, 'old'],
			[39, 'late'],
			[40, 'old'],
			[41, 'first'],
			[42, 'second'],
			[43, 'third']
		])
			await line.says(`id: ${id}\nevent: event\ndata: {"text":"${text}"}\n\n`);
		expect(heard).toEqual(['second', 'first', 'late', 'third']);
	});
	it('says that it is back, so that pages read again', async () => {
		const back = vi.fn();
		live.on('back', back);
		live.start(1);
		await settle();
		expect(back).not.toHaveBeenCalled();
		await line.breaks();
		await settle(600);
		expect(back).toHaveBeenCalledOnce();
	});
	it('takes a long silence for a dead line', async () => {
		live.start(1);
		await settle(30_000);
		await line.says(': still here\n\n');
		await settle(30_000);
		expect(live.state).toBe('live');
		await settle(15_100);
		expect(live.state).toBe('offline');
	});
	it('is offline the moment the browser is', async () => {
		live.start(1);
		await settle();
		live.networkChanged(false);
		expect(live.state).toBe('offline');
	});
	it('holds no connection while the page is put away, and reads again when it is shown', async () => {
		const back = vi.fn();
		live.on('back', back);
		live.start(1);
		await settle();
		live.putAway();
		expect(line.sent[0].signal.aborted).toBe(true);
		await settle(60_000);
		expect(line.sent).toHaveLength(1);
		live.takeOut();
		await settle();
		expect(line.sent).toHaveLength(2);
		expect(live.state).toBe('live');
		expect(back).toHaveBeenCalledOnce();
	});
	it('gives its connection up while it lies behind another tab, though the network changes', async () => {
		live.start(1);
		await settle();
		live.seen(false);
		await settle(31_000);
		expect(line.sent[0].signal.aborted).toBe(true);
		live.watch('SOL');
		live.networkChanged(true);
		await settle(60_000);
		expect(line.sent).toHaveLength(1);
		live.seen(true);
		await settle();
		expect(line.sent).toHaveLength(2);
		expect(live.state).toBe('live');
	});
	it('keeps its connection while another tab is looked at for a moment', async () => {
		live.start(1);
		await settle();
		live.seen(false);
		await settle(10_000);
		live.seen(true);
		await settle(30_000);
		expect(line.sent[0].signal.aborted).toBe(false);
	});
	it('asks anew when another symbol is wanted', async () => {
		live.start(1);
		await settle();
		live.watch('SOL');
		await settle(60);
		expect(line.sent[1].address).toContain('symbols=SOL');
	});
	it('ends when nobody is signed in', async () => {
		line.status = 401;
		live.onsignedout = vi.fn();
		live.start(1);
		await settle();
		expect(live.onsignedout).toHaveBeenCalledOnce();
		expect(live.state).toBe('idle');
	});
});
