/** The live feed: one connection, many listeners. It reconnects by itself and never misses an Event. */
import type { TradeEvent } from '$lib/api/types';
import { FrameReader, type Frame } from './frames';

export interface PriceTick {
	account: number;
	symbol: string;
	last: string;
	/** Milliseconds on the account's own clock. */
	time: number;
}
export interface TradeChange {
	trade: number;
	account: number;
	version: number;
}
interface Heard {
	/** `recent`: numbers of Events from before the first visit, which a resumption may tell again. */
	hello: { time: string | number; recent?: number[] };
	price: PriceTick;
	trade: TradeChange;
	event: TradeEvent;
	account: { account: number };
	/** Ours, not the server's: the feed was lost and is back, so read again whatever you show. */
	back: null;
}
type Name = keyof Heard;
export type LiveState = 'idle' | 'connecting' | 'live' | 'offline';

/** The server says something every 20 s; twice that in silence and a bit means the line is dead. */
const SILENCE = 45_000;
/** A page that nobody has seen for so long gives up its connection: see `putAway`. */
const UNSEEN = 30_000;
/** Events remembered as heard: more than any resumption tells again. */
const REMEMBERED = 2000;
const RETRY = [500, 1000, 2000, 4000, 8000];

export class Live {
	state = $state<LiveState>('idle');
	/** When the last word came from the server, in milliseconds. */
	heardAt = $state(0);

	#account: number | null = null;
	#watched = new Map<string, number>();
	#listeners = new Map<Name, Set<(heard: never) => void>>();
	#lastEvent = 0;
	#known = new Set<number>();
	#connection: AbortController | null = null;
	#failures = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#silence: ReturnType<typeof setTimeout> | undefined;
	#unseen: ReturnType<typeof setTimeout> | undefined;
	#away = false;
	/** Called once when the server says that nobody is signed in. */
	onsignedout: () => void = () => {};

	/** Connects for an account, or moves there from another; safe to call again. */
	start(account: number): void {
		if (this.#account === account && this.state !== 'idle') return;
		this.#account = account;
		this.#connect();
	}

	stop(): void {
		this.#account = null;
		this.#lastEvent = 0;
		this.#known.clear();
		this.#disconnect();
		this.state = 'idle';
	}

	/** Prices of this symbol are wanted until the returned function is called. */
	watch(symbol: string): () => void {
		const wanted = this.#watched.get(symbol) ?? 0;
		this.#watched.set(symbol, wanted + 1);
		if (wanted === 0) this.#soon(50);
		return () => this.#unwatch(symbol);
	}

	/** Hears every frame of one kind until the returned function is called. */
	on<N extends Name>(name: N, listener: (heard: Heard[N]) => void): () => void {
		const listeners = this.#listeners.get(name) ?? new Set();
		this.#listeners.set(name, listeners.add(listener));
		return () => void listeners.delete(listener);
	}

	/** Watches one symbol and hears only its prices. */
	onPrice(symbol: string, listener: (tick: PriceTick) => void): () => void {
		const stopWatching = this.watch(symbol);
		const stopHearing = this.on('price', (tick) => {
			if (tick.symbol === symbol) listener(tick);
		});
		return () => {
			stopWatching();
			stopHearing();
		};
	}

	/** Hears that something about one trade changed: read it again. */
	onTrade(trade: number, listener: (change: TradeChange) => void): () => void {
		return this.on('trade', (change) => {
			if (change.trade === trade) listener(change);
		});
	}

	/** The browser knows that the network is gone before any time-out does. */
	networkChanged(online: boolean): void {
		if (this.#account === null) return;
		this.#failures = 0;
		if (online) this.#connect();
		else this.#lost();
	}

	/**
	 * The browser puts the page away, perhaps to show it again as it is. It must not keep a connection there: over
	 * HTTP/1.1 there are six for all pages together, and with none left the next page cannot be fetched.
	 */
	putAway(): void {
		this.#away = true;
		if (this.#account === null) return;
		this.#disconnect();
		this.state = 'offline';
	}

	/** The page is shown again. */
	takeOut(): void {
		this.#away = false;
		if (this.#account !== null) this.#connect();
	}

	/** The page lies behind another tab now, or is in front again: with many tabs, those behind take no connection. */
	seen(isSeen: boolean): void {
		clearTimeout(this.#unseen);
		if (!isSeen) this.#unseen = setTimeout(() => this.putAway(), UNSEEN);
		else if (this.#away) this.takeOut();
	}

	#unwatch(symbol: string): void {
		const wanted = (this.#watched.get(symbol) ?? 1) - 1;
		if (wanted > 0) this.#watched.set(symbol, wanted);
		// A symbol too many costs nothing: it is dropped with the next connection.
		else this.#watched.delete(symbol);
	}

	#soon(delay: number): void {
		clearTimeout(this.#timer);
		if (this.#account !== null) this.#timer = setTimeout(() => this.#connect(), delay);
	}

	#disconnect(): void {
		clearTimeout(this.#timer);
		clearTimeout(this.#silence);
		this.#connection?.abort();
		this.#connection = null;
	}

	#connect(): void {
		this.#disconnect();
		if (this.#account === null || this.#away) return;
		if (this.state !== 'live' && this.state !== 'offline') this.state = 'connecting';
		const connection = (this.#connection = new AbortController());
		this.#read(connection.signal).then(
			() => connection.signal.aborted || this.#lost(),
			() => connection.signal.aborted || this.#lost()
		);
	}

	#lost(): void {
		this.#disconnect();
		this.state = 'offline';
		this.#soon(RETRY[Math.min(this.#failures++, RETRY.length - 1)]);
	}

	async #read(signal: AbortSignal): Promise<void> {
		const response = await fetch(this.#address(), { headers: this.#headers(), signal, cache: 'no-store' });
		if (response.status === 401) {
			this.stop();
			return this.onsignedout();
		}
		if (!response.ok || !response.body) throw new Error(`The feed answered ${response.status}.`);
		this.#arrived();
		const reader = new FrameReader();
		const decoder = new TextDecoder();
		for await (const bytes of chunks(response.body)) {
			this.#arrived();
			reader.push(decoder.decode(bytes, { stream: true })).forEach((frame) => this.#hear(frame));
		}
	}

	#address(): string {
		const symbols = [...this.#watched.keys()].join(',');
		return `/api/v1/live?${new URLSearchParams({ account: String(this.#account), ...(symbols && { symbols }) })}`;
	}

	#headers(): HeadersInit {
		return { Accept: 'text/event-stream', ...(this.#lastEvent && { 'Last-Event-ID': String(this.#lastEvent) }) };
	}

	#arrived(): void {
		const wasLost = this.state === 'offline';
		this.#failures = 0;
		this.state = 'live';
		this.heardAt = Date.now();
		if (wasLost) this.#tell('back', null as never);
		clearTimeout(this.#silence);
		this.#silence = setTimeout(() => this.#lost(), SILENCE);
	}

	#hear(frame: Frame): void {
		this.#lastEvent = Math.max(this.#lastEvent, Number(frame.id) || 0);
		const heard = JSON.parse(frame.data);
		if (frame.name === 'hello') heard.recent?.forEach((id: number) => this.#known.add(id));
		if (frame.name === 'event' && frame.id && this.#isKnown(Number(frame.id))) return;
		this.#tell(frame.name as Name, heard as never);
	}

	/** Numbers may come out of order, and after a break those of the last minute come again. */
	#isKnown(id: number): boolean {
		if (this.#known.has(id)) return true;
		this.#known.add(id);
		if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.values().next().value!);
		return false;
	}

	#tell(name: Name, heard: never): void {
		this.#listeners.get(name)?.forEach((listener) => listener(heard));
	}
}

/** Not every browser can iterate over a stream yet. */
async function* chunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
	const reader = body.getReader();
	for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

export const live = new Live();
