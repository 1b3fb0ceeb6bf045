import { describe, expect, it } from 'vitest';
import { curveOf, nearest } from './curve';
import { isoDay, moved, weeksOf } from './month';
import { rangeOf } from './range';

describe('the calendar', () => {
	it('starts its weeks on Monday', () => {
		const weeks = weeksOf(2026, 11);
		expect(weeks[0]).toEqual([null, null, null, null, null, null, 1]);
		expect(weeks.flat().filter(Boolean)).toHaveLength(30);
		expect(weeks.every((week) => week.length === 7)).toBe(true);
	});
	it('knows leap years', () => expect(weeksOf(2028, 2).flat().filter(Boolean)).toHaveLength(29));
	it('walks over the end of the year', () => {
		expect(moved(2026, 12, 1)).toEqual({ year: 2027, month: 1 });
		expect(moved(2026, 1, -1)).toEqual({ year: 2025, month: 12 });
	});
	it('writes days for the address', () => expect(isoDay(2026, 1, 5)).toBe('2026-01-05'));
});

describe('the curve', () => {
	it('fills its box from the starting value on', () => {
		const curve = curveOf(0, [10, 5]);
		expect(curve.dots.map(({ x }) => x)).toEqual([0, 50, 100]);
		expect(curve.dots.map(({ y }) => y)).toEqual([96, 4, 50]);
	});
	it('lies flat in the middle when nothing changed', () =>
		expect(curveOf(5, [5]).dots.map(({ y }) => y)).toEqual([50, 50]));
	it('finds the point under the pointer', () =>
		expect([nearest(0.49, 3), nearest(-1, 3), nearest(2, 3)]).toEqual([1, 0, 2]));
});

describe('the range', () => {
	it('counts whole days back from today', () =>
		expect(rangeOf('30', { year: 2026, month: 11, day: 21 })).toEqual({ from: '2026-10-23' }));
	it('all has no beginning', () => expect(rangeOf('all', { year: 2026, month: 11, day: 21 })).toEqual({}));
});
