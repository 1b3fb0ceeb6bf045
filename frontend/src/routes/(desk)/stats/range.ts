import { isoDay } from './month';

export const RANGES = [
	{ value: '7', label: '7 d' },
	{ value: '30', label: '30 d' },
	{ value: '90', label: '90 d' },
	{ value: '365', label: '1 y' },
	{ value: 'all', label: 'All' }
] as const;
export type Range = (typeof RANGES)[number]['value'];

/** The first day of a range that ends today, today included. */
export function rangeOf(range: Range, today: { year: number; month: number; day: number }): { from?: string } {
	if (range === 'all') return {};
	const first = new Date(Date.UTC(today.year, today.month - 1, today.day - Number(range) + 1));
	return { from: isoDay(first.getUTCFullYear(), first.getUTCMonth() + 1, first.getUTCDate()) };
}
