import type { Candle } from './types';

/**
 * The candle after a price at `time` (ms): the last one stretched, or a new one when its time is over.
 * Null for a price from before the last candle began: late news changes nothing.
 */
export function running(last: Candle | undefined, price: string, time: number, length: number): Candle | null {
	const start = time - (time % length);
	if (!last || start > last[0]) return [start, price, price, price, price, '0'];
	if (start < last[0]) return null;
	const [, open, high, low, , volume] = last;
	const now = Number(price);
	return [start, open, now > Number(high) ? price : high, now < Number(low) ? price : low, price, volume];
}

/** The open time of the candle that holds `time`, among sorted candles; the nearest end when it lies outside. */
export function candleAt(candles: readonly Candle[], time: number): number | undefined {
	let [low, high] = [0, candles.length];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (candles[middle][0] <= time) low = middle + 1;
		else high = middle;
	}
	return candles[Math.max(low - 1, 0)]?.[0];
}
