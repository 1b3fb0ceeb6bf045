import type { EquityPoint } from '$lib/api/types';

/** One point of a curve in a box of 100 × 100, its origin at the top left. */
export interface Dot {
	x: number;
	y: number;
}

export interface Curve {
	line: string;
	area: string;
	dots: Dot[];
	low: number;
	high: number;
	/** Where the starting value lies, for the base line. */
	baseY: number;
}

/** Spreads values over the box; a flat curve lies in its middle. */
export function curveOf(base: number, values: number[]): Curve {
	const all = [base, ...values];
	const [low, high] = [Math.min(...all), Math.max(...all)];
	const span = high - low || 1;
	const y = (value: number) => (high === low ? 50 : 96 - ((value - low) / span) * 92);
	const x = (index: number) => (all.length < 2 ? 0 : (index / (all.length - 1)) * 100);
	const dots = all.map((value, index) => ({ x: x(index), y: y(value) }));
	const line = dots.map((dot, index) => `${index ? 'L' : 'M'}${short(dot.x)} ${short(dot.y)}`).join('');
	const floor = short(y(base));
	return { line, area: `${line}L100 ${floor}L0 ${floor}Z`, dots, low, high, baseY: y(base) };
}

const short = (value: number): number => Math.round(value * 100) / 100;

/** Which point lies nearest to a share of the width, between 0 and 1. */
export const nearest = (share: number, count: number): number =>
	Math.max(0, Math.min(count - 1, Math.round(share * (count - 1))));

export const valuesOf = (points: readonly EquityPoint[], unit: 'money' | 'r'): number[] =>
	points.map((point) => Number(unit === 'money' ? point.equity : point.cumulative_r));
