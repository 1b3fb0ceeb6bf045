/** Where prices lie to one another: plain arithmetic on entry, stop and targets. Sizes and money come from the server. */
import { decimal, distance, over, text, times, toTick, type Decimal } from './decimal';

export type Side = 'long' | 'short';

const HUNDRED = decimal('100')!;

/** A stop below the entry means long. Null while the two do not say. */
export function sideOf(entry: string, stop: string): Side | null {
	const [from, at] = [decimal(entry), decimal(stop)];
	if (from === null || at === null || from === at || from <= 0n || at <= 0n) return null;
	return at < from ? 'long' : 'short';
}

/** The share-weighted average of the entry prices; '' while one of them is missing. */
export function averagePrice(legs: { price: string; share: string }[]): string {
	let [sum, weight] = [0n, 0n];
	for (const leg of legs) {
		const [price, share] = [decimal(leg.price), decimal(leg.share)];
		if (price === null || share === null || share <= 0n) return '';
		sum += times(price, share);
		weight += share;
	}
	return weight > 0n ? text(over(sum, weight)) : '';
}

/** The price `r` stop-distances in the trade's favour, on the tick. '' when it cannot be known or is not above zero. */
export function priceAtR(entry: string, stop: string, r: string, tick: string): string {
	const [from, at, multiple] = [decimal(entry), decimal(stop), decimal(r)];
	if (from === null || at === null || multiple === null || from === at) return '';
	return onTick(from + times(from - at, multiple), tick);
}

/** The price `percent` away from the entry in the trade's favour, on the tick. */
export function priceAtPercent(entry: string, side: Side | null, percent: string, tick: string): string {
	const [from, share] = [decimal(entry), decimal(percent)];
	if (from === null || share === null || side === null) return '';
	const step = over(times(from, share), HUNDRED);
	return onTick(side === 'long' ? from + step : from - step, tick);
}

/** How many stop-distances `price` lies in the trade's favour (negative: against it). */
export function rAt(entry: string, stop: string, price: string): string | null {
	const [from, at, to] = [decimal(entry), decimal(stop), decimal(price)];
	if (from === null || at === null || to === null || from === at) return null;
	return text(over(to - from, from - at));
}

/** Signed distance from one price to another in percent. */
export function percentBetween(from: string, to: string): string | null {
	const [start, end] = [decimal(from), decimal(to)];
	if (start === null || end === null || start === 0n) return null;
	return text(over((end - start) * 100n, start));
}

/** The same distance on the other side of the entry. */
export function mirrored(entry: string, price: string, tick: string): string {
	const [from, at] = [decimal(entry), decimal(price)];
	return from === null || at === null ? price : onTick(from + from - at, tick);
}

/** A price rounded to the tick; '' when nothing above zero is left. */
export function onTick(value: Decimal, tick: string): string {
	const rounded = toTick(value, decimal(tick) ?? 0n);
	return rounded > 0n ? text(rounded) : '';
}

type Range = readonly [time: number, open: string, high: string, low: string, ...rest: unknown[]];

const LOOK_BACK = 20;
const WIDEST = decimal('0.05')!;
/** Nearer than this, costs would eat most of the first target. */
const NEAREST = decimal('0.008')!;

/**
 * A first stop to start from: beyond the lowest low (long) or highest high (short) of the last 20 candles,
 * at least one and a half average candle ranges and 0.8 %, at most 5 % from the entry.
 */
export function suggestStop(side: Side, entry: string, candles: readonly Range[], tick: string): string {
	const from = decimal(entry);
	const recent = candles.slice(-LOOK_BACK).map((candle) => [decimal(candle[2]) ?? 0n, decimal(candle[3]) ?? 0n]);
	if (from === null || recent.length === 0) return '';
	const range = recent.reduce((sum, [high, low]) => sum + high - low, 0n) / BigInt(recent.length);
	const extreme =
		side === 'long'
			? from - recent.reduce((least, [, low]) => (low < least ? low : least), recent[0][1])
			: recent.reduce((most, [high]) => (high > most ? high : most), recent[0][0]) - from;
	const least = larger((range * 3n) / 2n, times(from, NEAREST));
	const away = smaller(larger(extreme, least), times(from, WIDEST));
	return away > 0n ? onTick(side === 'long' ? from - away : from + away, tick) : '';
}

const larger = (a: Decimal, b: Decimal): Decimal => (a > b ? a : b);
const smaller = (a: Decimal, b: Decimal): Decimal => (a < b ? a : b);

/** How far the price has come from `from` to `to`, 0 to 1: for bars. */
export function progress(from: string, to: string, price: string): number {
	const [start, end, now] = [decimal(from), decimal(to), decimal(price)];
	if (start === null || end === null || now === null || start === end) return 0;
	return Math.min(1, Math.max(0, Number(text(over(now - start, end - start)))));
}

/** True when `price` has moved from `anchor` by at least a twentieth of the way to the stop: R figures would look wrong. */
export function hasMoved(anchor: string, price: string, stop: string): boolean {
	const [from, to, at] = [decimal(anchor), decimal(price), decimal(stop)];
	if (from === null || to === null) return from !== to;
	const unit = at === null || at === from ? from / 100n : distance(from, at);
	return distance(from, to) * 20n >= unit;
}

/** `price` moved by `count` steps; unchanged when either is not a number or nothing above zero would be left. */
export function stepped(price: string, step: string, count: number): string {
	const [from, size] = [decimal(price), decimal(step)];
	if (from === null || size === null || size <= 0n) return price;
	const to = toTick(from, size) + size * BigInt(count);
	return to > 0n ? text(to) : price;
}

/** A price read off the chart's scale, on the tick. */
export function fromScale(price: number, tick: string): string {
	const size = decimal(tick);
	if (!size || size <= 0n || !Number.isFinite(price)) return '';
	return text(BigInt(Math.round(price / Number(tick))) * size);
}
