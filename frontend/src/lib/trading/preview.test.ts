import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PlanPreviewer } from './preview.svelte';

type Call = { plan: string; signal: AbortSignal; answer: (value: string) => void; fail: (reason: Error) => void };

describe('the preview', () => {
	let calls: Call[];
	let previewer: PlanPreviewer<string, string>;

	beforeEach(() => {
		vi.useFakeTimers();
		calls = [];
		previewer = new PlanPreviewer(
			(plan, signal) => new Promise((answer, fail) => calls.push({ plan, signal, answer, fail })),
			200
		);
	});
	afterEach(() => vi.useRealTimers());

	async function ask(plan: string): Promise<Call> {
		previewer.show(plan);
		await vi.advanceTimersByTimeAsync(200);
		return calls[calls.length - 1];
	}

	it('is asked once after a pause, however fast one types', async () => {
		for (const plan of ['1', '12', '123']) previewer.show(plan);
		await vi.advanceTimersByTimeAsync(199);
		expect(calls).toHaveLength(0);
		await vi.advanceTimersByTimeAsync(1);
		expect(calls.map((call) => call.plan)).toEqual(['123']);
	});

	it('ignores an answer about an older plan', async () => {
		const old = await ask('old');
		const latest = await ask('new');
		expect(old.signal.aborted).toBe(true);
		latest.answer('about new');
		old.answer('about old');
		await vi.advanceTimersByTimeAsync(0);
		expect(previewer.answer).toBe('about new');
		expect(previewer.isStale).toBe(false);
	});

	it('keeps the last answer on screen while the next is awaited, marked stale', async () => {
		(await ask('one')).answer('about one');
		await vi.advanceTimersByTimeAsync(0);
		previewer.show('two');
		expect([previewer.answer, previewer.isStale]).toEqual(['about one', true]);
	});

	it('does not ask again about the same plan', async () => {
		(await ask('one')).answer('about one');
		await ask('one');
		expect(calls).toHaveLength(1);
	});

	it('asks again about the same plan when the account changed', async () => {
		(await ask('one')).answer('about one');
		await vi.advanceTimersByTimeAsync(0);
		previewer.show('one', true);
		await vi.advanceTimersByTimeAsync(200);
		expect(calls).toHaveLength(2);
	});

	it('remembers why there was no answer', async () => {
		(await ask('one')).fail(new Error('offline'));
		await vi.advanceTimersByTimeAsync(0);
		expect(previewer.trouble).toEqual(new Error('offline'));
		expect(previewer.isStale).toBe(true);
	});

	it('can be hurried, and answers nothing when it failed', async () => {
		previewer.show('one');
		const settled = previewer.settled();
		calls[0].answer('about one');
		expect(await settled).toBe('about one');
		previewer.show('two');
		const failed = previewer.settled();
		calls[1].fail(new Error('offline'));
		expect(await failed).toBeUndefined();
	});
});
