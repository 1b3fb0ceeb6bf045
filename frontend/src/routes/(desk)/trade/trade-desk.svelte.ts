import {
	ApiProblem,
	getCandles,
	Intention,
	openTrade,
	previewPlan,
	type Account,
	type Candle,
	type Instrument,
	type Preview,
	type Trade
} from '$lib/api';
import { TIMEFRAMES, type LastPrice, type Timeframe } from '$lib/charts/types';
import { live } from '$lib/state/live.svelte';
import { tellProblem } from '$lib/tell';
import type { Fault } from '$lib/trading/faults';
import { suggestStop } from '$lib/trading/geometry';
import { PlanDraft } from '$lib/trading/plan-draft.svelte';
import type { PlanDocument } from '$lib/trading/plan-document';
import { applyDefaults } from '$lib/trading/presets';
import { PlanPreviewer } from '$lib/trading/preview.svelte';

const CANDLES = 500;
/** A second press by accident shall not open a second trade. */
const PAUSE_AFTER_SENDING = 2000;
/** Candles are read again at most this often while a fast replay leaps from candle to candle. */
const LEAST_BETWEEN_READINGS = 2000;

/** One symbol of one account on the desk: its candles and latest price, the draft, what the server says about it. */
export class TradeDesk {
	readonly draft = new PlanDraft();
	readonly previewer: PlanPreviewer<PlanDocument, Preview>;
	timeframe = $state<Timeframe>('15m');
	candles = $state.raw<Candle[]>([]);
	last = $state.raw<LastPrice>();
	/** Candles are being read. */
	waiting = $state(true);
	trouble = $state.raw<ApiProblem>();
	sending = $state(false);
	/** What the server found wrong when the trade was sent; gone with the next edit. */
	refused = $state.raw<Fault[]>([]);
	#refusedPlan = '';
	#prepared = false;
	#intention = new Intention();
	#reading: AbortController | undefined;
	#readAt = 0;

	preview = $derived.by(() => (this.draft.isComplete ? this.previewer.answer : undefined));
	faults = $derived.by(() => [...(this.preview?.faults ?? []), ...this.refused]);
	denials = $derived.by(() => this.preview?.denials ?? []);
	/** Less than asked is possible: offered, never taken silently. */
	cap = $derived.by(() => (this.preview?.possible?.capped_by ? this.preview.possible : undefined));
	canSend = $derived.by(
		() =>
			!this.sending &&
			this.draft.isComplete &&
			!!this.preview?.possible &&
			!this.cap &&
			this.faults.length + this.denials.length === 0
	);

	constructor(
		readonly account: Account,
		readonly instrument: Instrument
	) {
		this.draft.symbol = instrument.symbol;
		this.draft.tick = instrument.tick_size;
		this.draft.spot = instrument.spot;
		this.previewer = new PlanPreviewer((plan, signal) => previewPlan(account.id, plan, signal));
		if (instrument.price) this.draft.reference = instrument.price;
		applyDefaults(this.draft);
	}

	/** Follows the price and reads the candles until the returned function is called. */
	follow(): () => void {
		const { symbol } = this.instrument;
		const endings = [
			live.on('price', (tick) => {
				if (tick.symbol === symbol && tick.account === this.account.id) this.#moved(tick.last, tick.time);
			}),
			live.watch(symbol),
			// The gate answers otherwise: a position that is nobody's was found or is gone, say.
			live.on('account', ({ account }) => account === this.account.id && this.ask(true)),
			live.on('hello', () => this.#isBack())
		];
		return () => {
			for (const end of endings) end();
			this.#reading?.abort();
			this.previewer.clear();
		};
	}

	/** `quiet`: the same candles once more, without a word on the chart. */
	async readCandles(timeframe: Timeframe, quiet = false): Promise<void> {
		this.#reading?.abort();
		const reading = (this.#reading = new AbortController());
		this.#readAt = Date.now();
		this.waiting = !quiet;
		try {
			const query = { account: this.account.id, symbol: this.instrument.symbol, timeframe, limit: CANDLES };
			const { candles } = await getCandles(query, reading.signal);
			this.timeframe = timeframe;
			this.candles = candles;
			this.trouble = undefined;
			this.#prepare();
		} catch (trouble) {
			if (reading.signal.aborted) return;
			this.trouble = trouble instanceof ApiProblem ? trouble : ApiProblem.unreachable();
		}
		this.waiting = false;
	}

	/** Ask what the plan would do; call whenever the draft changes. */
	ask(again = false): void {
		if (!this.draft.isComplete) return this.previewer.clear();
		const plan = this.draft.document;
		if (this.refused.length && JSON.stringify(plan) !== this.#refusedPlan) this.refused = [];
		this.previewer.show(plan, again);
	}

	/** Risk what the account can carry, since the trader took the offer. */
	takeOffer(): void {
		if (!this.cap) return;
		this.draft.riskKind = 'money';
		// Cut, not rounded: a cent more would be capped again.
		this.draft.risk = this.cap.risk.replace(/(\.\d\d)\d+$/, '$1');
	}

	/** Opens the trade as the screen shows it; undefined when it did not come to that. */
	async send(): Promise<Trade | undefined> {
		if (this.sending || !this.draft.isComplete) return;
		this.sending = true;
		try {
			await this.previewer.settled();
			const plan = $state.snapshot(this.draft.document) as PlanDocument;
			if (this.previewer.isStale || this.faults.length + this.denials.length || this.cap) return;
			const trade = await openTrade(this.account.id, plan, this.#intention.keyFor(plan));
			this.#intention.fulfilled();
			return trade;
		} catch (trouble) {
			this.#failed(trouble);
		} finally {
			setTimeout(() => (this.sending = false), this.refused.length ? 0 : PAUSE_AFTER_SENDING);
		}
	}

	/** The connection is there again: what could not be asked meanwhile is asked now. */
	#isBack(): void {
		if (!this.waiting) void this.readCandles(this.timeframe, true);
		if (this.previewer.trouble) this.ask(true);
	}

	#failed(trouble: unknown): void {
		tellProblem(trouble, 'The trade was not opened');
		if (!(trouble instanceof ApiProblem)) return;
		this.refused = trouble.faults;
		this.#refusedPlan = JSON.stringify(this.draft.document);
	}

	#moved(price: string, time: number): void {
		if (this.#leapt(time)) void this.readCandles(this.timeframe, true);
		this.last = { price, time };
		if (this.draft.isMarket) this.draft.follow(price);
		this.#prepare();
	}

	/** The clock ran past more than a price every second can draw: the candles between are only known to the server. */
	#leapt(time: number): boolean {
		const [length, before] = [TIMEFRAMES[this.timeframe], this.last?.time ?? time];
		const isNew = Math.floor(time / length) > Math.floor(before / length);
		const isIdle = !this.waiting && Date.now() - this.#readAt > LEAST_BETWEEN_READINGS;
		return isNew && time - before > length / 4 && isIdle;
	}

	/** A first stop as soon as candles and price are known; never again, and never over what was typed. */
	#prepare(): void {
		const newest = this.candles[this.candles.length - 1];
		if (this.#prepared || !newest) return;
		if (!this.draft.reference) this.draft.follow(this.last?.price ?? newest[4]);
		this.#prepared = true;
		if (this.draft.stop === '') {
			this.draft.stop = suggestStop('long', this.draft.averageEntry, this.candles, this.draft.tick);
		}
	}
}
