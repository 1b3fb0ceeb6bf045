import {
	amendPlan,
	breakEven,
	cancelTrade,
	closeTrade,
	endByWord,
	getTrade,
	handsOff,
	Intention,
	listInstruments,
	listTrades,
	type Instrument,
	type Trade
} from '$lib/api';
import { live } from '$lib/state/live.svelte';
import { tellProblem } from '$lib/tell';
import type { PlanDocument } from '$lib/trading/plan-document';
import type { Ending } from '$lib/trading/words';

/** A look that finds all in order tells nothing, but the page says how long ago it was. */
const RECHECK_MS = 15_000;

const isWorking = (trade: Trade) => trade.status === 'pending' || trade.status === 'open';

/** The pending and open trades of one account, kept up to date by the live feed, and what can be done with them. */
export class WorkingTrades {
	all = $state.raw<Trade[]>([]);
	instruments = $state.raw<ReadonlyMap<string, Instrument>>(new Map());
	prices = $state<Record<string, string>>({});
	/** The account's own time at its latest price, in milliseconds: a replay lives in the past. */
	accountTime = $state(0);
	loaded = $state(false);
	trouble = $state.raw<unknown>();

	open = $derived(this.all.filter((trade) => trade.status === 'open'));
	pending = $derived(this.all.filter((trade) => trade.status === 'pending'));

	#account = 0;
	#clock = 0;
	#busy = $state.raw<readonly number[]>([]);
	#intentions = new Map<string, Intention>();
	#watched = new Map<string, () => void>();
	#reading = new Map<number, 'once' | 'again'>();
	/** Counts the changes, so that an answer asked for before one is not taken after it. */
	#changes = 0;

	readonly actions = {
		isBusy: (trade: number) => this.#busy.includes(trade),
		breakEven: (trade: Trade) =>
			this.#act(trade, 'break-even', 'The stop was not moved', (key) => breakEven(trade.id, key)),
		close: (trade: Trade, share: string) =>
			this.#act(trade, `close ${share}`, 'The position was not closed', (key) =>
				closeTrade(trade.id, share, key)
			),
		cancel: (trade: Trade) =>
			this.#act(trade, 'cancel', 'The entry was not withdrawn', (key) => cancelTrade(trade.id, key)),
		handsOff: (trade: Trade, on: boolean) =>
			this.#act(trade, `hands ${on}`, 'Nothing was changed', () => handsOff(trade.id, on))
	};

	readonly amend = (trade: Trade, plan: PlanDocument): Promise<boolean> =>
		this.#act(trade, JSON.stringify(plan), 'The plan stays as it was', (key) => amendPlan(trade.id, plan, key));

	readonly endByWord = (trade: Trade, ending: Ending): Promise<boolean> =>
		this.#act(trade, JSON.stringify(ending), 'The trade goes on', (key) => endByWord(trade.id, ending, key));

	/** Reads the account's trades and follows them until the returned function is called. */
	follow(account: number, clock: string | null): () => void {
		this.#account = account;
		this.#clock = clock ? Date.parse(clock) : 0;
		this.all = [];
		this.loaded = false;
		void this.load();
		const endings = [
			live.on('trade', ({ trade, account: of }) => of === account && void this.refresh(trade)),
			live.on('price', (tick) => {
				if (tick.account !== account) return;
				this.prices[tick.symbol] = tick.last;
				this.accountTime = tick.time;
			}),
			// After a lost connection anything may have happened.
			live.on('hello', () => this.loaded && void this.load())
		];
		const recheck = setInterval(() => void this.#recheck(), RECHECK_MS);
		return () => {
			clearInterval(recheck);
			for (const end of [...endings, ...this.#watched.values()]) end();
			this.#watched.clear();
		};
	}

	/** Now, by the account's own clock where it has one. */
	accountNow(wall: number): number {
		return this.#clock ? Math.max(this.accountTime, this.#clock) : wall;
	}

	load = async (): Promise<void> => {
		const account = this.#account;
		try {
			const [trades, instruments] = await Promise.all([
				listTrades({ account, status: 'pending,open', limit: 200 }),
				listInstruments(account)
			]);
			if (account !== this.#account) return;
			this.all = trades.results;
			this.instruments = new Map(instruments.results.map((one) => [one.symbol, one]));
			this.trouble = undefined;
			this.#watchSymbols();
		} catch (trouble) {
			if (account === this.#account) this.trouble = trouble;
		} finally {
			this.loaded = true;
		}
	};

	/** Reads the trades again where somebody is looking at an open one. */
	async #recheck(): Promise<void> {
		if (!this.open.length || document.hidden) return;
		const [account, changes] = [this.#account, this.#changes];
		try {
			const { results } = await listTrades({ account, status: 'pending,open', limit: 200 });
			if (account !== this.#account) return;
			if (changes === this.#changes) this.all = results;
			this.trouble = undefined;
		} catch (trouble) {
			if (account === this.#account) this.trouble = trouble;
		}
	}

	/** Reads one trade again; changes that come while it is read cause one more reading, not one each. */
	async refresh(id: number): Promise<void> {
		if (this.#reading.has(id)) return void this.#reading.set(id, 'again');
		this.#reading.set(id, 'once');
		try {
			this.put(await getTrade(id));
		} catch (trouble) {
			this.trouble = trouble;
		}
		const again = this.#reading.get(id) === 'again';
		this.#reading.delete(id);
		if (again) await this.refresh(id);
	}

	put(trade: Trade): void {
		if (trade.account !== this.#account) return;
		this.#changes += 1;
		const others = this.all.filter((one) => one.id !== trade.id);
		this.all = isWorking(trade) ? [...others, trade].sort((a, b) => b.id - a.id) : others;
		this.#watchSymbols();
	}

	async #act(trade: Trade, wish: string, failure: string, call: (key: string) => Promise<Trade>): Promise<boolean> {
		const name = `${trade.id} ${wish}`;
		const intention = this.#intentions.get(name) ?? new Intention();
		this.#intentions.set(name, intention);
		this.#busy = [...this.#busy, trade.id];
		try {
			this.put(await call(intention.keyFor(name)));
			intention.fulfilled();
			return true;
		} catch (trouble) {
			tellProblem(trouble, failure);
			return false;
		} finally {
			this.#busy = this.#busy.toSpliced(this.#busy.indexOf(trade.id), 1);
		}
	}

	#watchSymbols(): void {
		const wanted = new Set(this.all.map((trade) => trade.symbol));
		for (const symbol of wanted) {
			if (!this.#watched.has(symbol)) this.#watched.set(symbol, live.watch(symbol));
		}
		for (const [symbol, end] of this.#watched) {
			if (!wanted.has(symbol)) {
				end();
				this.#watched.delete(symbol);
			}
		}
	}
}
