/** What the chart shows, in words, for those who cannot see it. */
import { count, dateTime, price, signedPercent } from '$lib/format';
import { nameOf } from './names';
import type { Candle, FillMark, PlanLine, StopMove } from './types';

interface Shown {
	label: string;
	tick: string;
	candles: readonly Candle[];
	lines?: readonly PlanLine[];
	fills?: readonly FillMark[];
	stops?: readonly StopMove[];
}

export function summary({ label, tick, candles, lines = [], fills = [], stops = [] }: Shown): string {
	return [
		candlesInWords(label, tick, candles),
		lines.length && `Lines: ${lines.map((line) => `${line.label} at ${price(line.price, tick)}`).join('; ')}.`,
		fills.length &&
			`Fills: ${fills.map((fill) => `${nameOf(fill)} at ${price(fill.price, tick)} on ${dateTime(fill.time)}`).join('; ')}.`,
		stops.length &&
			`The stop stood at ${stops.map((stop) => `${price(stop.price, tick)} from ${dateTime(stop.time)}`).join(', then ')}.`
	]
		.filter(Boolean)
		.join(' ');
}

function candlesInWords(label: string, tick: string, candles: readonly Candle[]): string {
	const [first, last] = [candles[0], candles[candles.length - 1]];
	if (!first) return `${label}: no candles yet.`;
	const highest = Math.max(...candles.map((candle) => Number(candle[2])));
	const lowest = Math.min(...candles.map((candle) => Number(candle[3])));
	const change = (Number(last[4]) / Number(first[1]) - 1) * 100;
	return (
		`${label}: ${count(candles.length)} candles from ${dateTime(first[0])} to ${dateTime(last[0])}. ` +
		`Last price ${price(last[4], tick)}, ${signedPercent(change)} over the chart, ` +
		`between ${price(String(lowest), tick)} and ${price(String(highest), tick)}.`
	);
}
