import { decimal, over, text, typed } from './decimal';
import { averagePrice, hasMoved, mirrored, onTick, priceAtPercent, priceAtR, sideOf, type Side } from './geometry';
import type { After, Cover, EntryKind, EntryLeg, PlanDocument, Rules } from './plan-document';

export type TargetUnit = 'price' | 'r' | 'percent';
export type RiskKind = 'percent' | 'money' | 'quantity';
export type AfterKind = 'take_profit' | 'r' | 'percent' | 'minutes';
export type TrailKind = 'percent' | 'atr' | 'candles';

export interface EntryDraft {
	id: number;
	kind: EntryKind;
	price: string;
	trigger: string;
	/** Percent of the whole; the last entry takes the rest. */
	share: string;
}

export interface TargetDraft {
	id: number;
	unit: TargetUnit;
	value: string;
	/** Percent of the whole; the last target takes the rest. */
	share: string;
}

export interface AfterDraft {
	kind: AfterKind;
	value: string;
}

export interface BreakEvenDraft {
	after: AfterDraft;
	cover: Cover;
}

export interface TrailDraft {
	kind: TrailKind;
	value: string;
	/** Null: at once, from the entry on. */
	after: AfterDraft | null;
}

let lastId = 0;
const nextId = () => ++lastId;
const HUNDRED = decimal('100')!;

/** What the trader is writing on the ticket. Holds exactly what was typed; `document` is what would be sent. */
export class PlanDraft {
	symbol = $state('');
	tick = $state('');
	/** Coins, which are owned outright: no leverage, no margin, only long. */
	spot = $state(false);
	/** The price a market entry is reckoned from; follows the market in visible steps only, see `follow`. */
	reference = $state('');
	entries = $state<EntryDraft[]>([newEntry('market')]);
	stop = $state('');
	targets = $state<TargetDraft[]>([]);
	riskKind = $state<RiskKind>('percent');
	risk = $state('1');
	/** Whole number; '' means the lowest leverage that carries the trade. */
	leverage = $state('');
	breakEven = $state<BreakEvenDraft | null>(null);
	step = $state(false);
	trail = $state<TrailDraft | null>(null);
	closeAfter = $state('');
	cancelAbove = $state('');
	cancelBelow = $state('');
	cancelAtTarget = $state('');
	cancelAfter = $state('');

	entryShares = $derived(withRest(this.entries));
	targetShares = $derived(withRest(this.targets));
	averageEntry = $derived(
		averagePrice(
			this.entries.map((entry, index) => ({ price: this.priceOf(entry), share: this.entryShares[index] }))
		)
	);
	side = $derived<Side | null>(this.#side());
	targetPrices = $derived(this.targets.map((target) => this.#targetPrice(target)));
	isMarket = $derived(this.entries.every((entry) => entry.kind === 'market'));
	/** Draft rows that reach the document, in its order: faults come back by the document's index. */
	sentTargets = $derived(this.targets.flatMap((_, index) => (this.targetPrices[index] ? [index] : [])));
	missing = $derived(this.#missing());
	isComplete = $derived(this.missing.length === 0);
	document = $derived(this.#document());

	/** The price an entry would fill at, '' when unknown. */
	priceOf(entry: EntryDraft): string {
		if (entry.kind === 'market') return this.reference;
		return typed(entry.kind === 'trigger' ? entry.trigger : entry.price);
	}

	/** The market moved. Only a market entry follows, and only once its R figures would look wrong: nothing typed is touched. */
	follow(price: string): void {
		if (this.reference === '' || hasMoved(this.reference, price, typed(this.stop))) this.reference = price;
	}

	/** Mirror stop and targets to the other side of the entry. */
	flip(): void {
		const entry = this.averageEntry;
		if (!entry) return;
		this.stop = mirrored(entry, typed(this.stop), this.tick);
		for (const target of this.targets) {
			if (target.unit === 'price') target.value = mirrored(entry, typed(target.value), this.tick);
		}
		[this.cancelAbove, this.cancelBelow] = [this.cancelBelow, this.cancelAbove].map((price) =>
			price ? mirrored(entry, typed(price), this.tick) : ''
		);
	}

	setEntryKind(kind: EntryKind): void {
		for (const entry of this.entries) this.#turn(entry, kind);
	}

	turnEntry(id: number, kind: EntryKind): void {
		const entry = this.entries.find((each) => each.id === id);
		if (entry) this.#turn(entry, kind);
	}

	/** One more entry, between the last one and the stop, all with equal shares. */
	addEntry(): void {
		const last = this.entries[this.entries.length - 1];
		const from = decimal(last ? this.priceOf(last) : '');
		const stop = decimal(typed(this.stop));
		const price = from !== null && stop !== null ? onTick(from + (stop - from) / 3n, this.tick) : '';
		this.entries.push({ ...newEntry('limit'), price });
		shareEqually(this.entries);
	}

	removeEntry(id: number): void {
		if (this.entries.length > 1) this.entries = this.entries.filter((entry) => entry.id !== id);
		shareEqually(this.entries);
	}

	addTarget(): void {
		const furthest = this.targets.reduce(
			(most, { unit, value }) => (unit === 'r' ? Math.max(most, Number(value) || 0) : most),
			0
		);
		this.targets.push(newTarget(String(furthest + 1)));
		shareEqually(this.targets);
	}

	removeTarget(id: number): void {
		this.targets = this.targets.filter((target) => target.id !== id);
		shareEqually(this.targets);
		const count = this.targets.length;
		if (Number(this.cancelAtTarget) > count) this.cancelAtTarget = '';
		if (this.breakEven && isBeyond(this.breakEven.after, count)) this.breakEven = null;
		if (this.trail?.after && isBeyond(this.trail.after, count)) this.trail.after = null;
		if (count < 2) this.step = false;
	}

	/** Replace the targets by `multiples` of the stop distance with the given shares (percent; the last takes the rest). */
	setTargets(multiples: string[], shares: string[]): void {
		this.targets = multiples.map((r, index) => ({ ...newTarget(r), share: shares[index] ?? '' }));
	}

	/** Show a target in another unit without moving it: what cannot be converted starts empty. */
	setTargetUnit(id: number, unit: TargetUnit, convert: (price: string) => string | null): void {
		const index = this.targets.findIndex((target) => target.id === id);
		const target = this.targets[index];
		if (!target || target.unit === unit) return;
		const price = this.targetPrices[index];
		target.value = unit === 'price' ? price : ((price && convert(price)) ?? '');
		target.unit = unit;
	}

	#turn(entry: EntryDraft, kind: EntryKind): void {
		const known = this.priceOf(entry);
		if (kind === 'limit' || kind === 'trigger_limit') entry.price ||= known;
		if (kind === 'trigger' || kind === 'trigger_limit') entry.trigger ||= known;
		entry.kind = kind;
	}

	#targetPrice(target: TargetDraft): string {
		const value = typed(target.value);
		if (target.unit === 'r') return priceAtR(this.averageEntry, typed(this.stop), value, this.tick);
		if (target.unit === 'percent') return priceAtPercent(this.averageEntry, this.side, value, this.tick);
		return value;
	}

	/** A stop above coins that are bought is a fault, not another side. */
	#side(): Side | null {
		const side = sideOf(this.averageEntry, typed(this.stop));
		return side && this.spot ? 'long' : side;
	}

	#missing(): string[] {
		const wanted: [boolean, string][] = [
			[this.averageEntry !== '', 'an entry price'],
			[this.stop.trim() !== '', 'a stop'],
			[this.risk.trim() !== '', 'how much to risk']
		];
		return wanted.flatMap(([there, name]) => (there ? [] : [name]));
	}

	#document(): PlanDocument {
		const plan: PlanDocument = {
			symbol: this.symbol,
			entries: this.entries.map((entry, index) => entryLeg(entry, this.entryShares[index])),
			stop: { price: typed(this.stop) },
			take_profits: this.#takeProfits(),
			risk: { [this.riskKind]: typed(this.risk) }
		};
		if (this.side) plan.side = this.side;
		if (!this.spot) {
			plan.margin_mode = 'isolated';
			if (this.leverage.trim()) plan.leverage = Number(this.leverage);
		}
		const [rules, cancel] = [this.#rules(), this.#cancel()];
		if (Object.keys(rules).length) plan.rules = rules;
		if (Object.keys(cancel).length) plan.cancel = cancel;
		return plan;
	}

	#takeProfits(): PlanDocument['take_profits'] {
		const shares = withRest(this.sentTargets.map((index) => this.targets[index]));
		return this.sentTargets.map((index, row) => ({
			price: this.targetPrices[index],
			share: asFraction(shares[row])
		}));
	}

	#rules(): Rules {
		const rules: Rules = {};
		if (this.breakEven) rules.break_even = { after: asAfter(this.breakEven.after), cover: this.breakEven.cover };
		if (this.step) rules.step = true;
		if (this.trail) {
			const { kind, value, after } = this.trail;
			rules.trail = { [kind]: kind === 'candles' ? Number(value) : typed(value) };
			if (after) rules.trail.after = asAfter(after);
		}
		if (this.closeAfter.trim()) rules.close_after_minutes = typed(this.closeAfter);
		return rules;
	}

	#cancel(): NonNullable<PlanDocument['cancel']> {
		const cancel: NonNullable<PlanDocument['cancel']> = {};
		if (this.isMarket) return cancel;
		if (this.cancelAbove.trim()) cancel.above = typed(this.cancelAbove);
		if (this.cancelBelow.trim()) cancel.below = typed(this.cancelBelow);
		if (this.cancelAtTarget.trim()) cancel.at_take_profit = Number(this.cancelAtTarget);
		if (this.cancelAfter.trim()) cancel.after_minutes = typed(this.cancelAfter);
		return cancel;
	}
}

export function newEntry(kind: EntryKind): EntryDraft {
	return { id: nextId(), kind, price: '', trigger: '', share: '' };
}

export function newTarget(r: string): TargetDraft {
	return { id: nextId(), unit: 'r', value: r, share: '' };
}

/** Shares in percent as they will be sent: what the others leave is the last one's. */
export function withRest(rows: { share: string }[]): string[] {
	const given = rows.slice(0, -1).map((row) => typed(row.share));
	const left = given.reduce((rest, share) => rest - (decimal(share) ?? 0n), HUNDRED);
	return rows.length ? [...given, text(left)] : [];
}

function shareEqually(rows: { share: string }[]): void {
	const each = String(Math.floor(100 / Math.max(rows.length, 1)));
	rows.forEach((row, index) => (row.share = index === rows.length - 1 ? '' : each));
}

const asFraction = (percent: string): string => {
	const share = decimal(percent);
	return share === null ? percent : text(over(share, HUNDRED));
};

function entryLeg(entry: EntryDraft, share: string): EntryLeg {
	const leg: EntryLeg = { kind: entry.kind };
	if (entry.kind === 'limit' || entry.kind === 'trigger_limit') leg.price = typed(entry.price);
	if (entry.kind === 'trigger' || entry.kind === 'trigger_limit') leg.trigger = typed(entry.trigger);
	leg.share = asFraction(share);
	return leg;
}

function asAfter({ kind, value }: AfterDraft): After {
	if (kind === 'take_profit') return { take_profit: Number(value) };
	return { [kind]: typed(value) } as After;
}

const isBeyond = (after: AfterDraft, count: number): boolean =>
	after.kind === 'take_profit' && Number(after.value) > count;
