import { describe, expect, it } from 'vitest';
import { candleAt, running } from './running-candle';
import type { Candle } from './types';

const minute = 60_000;
const last: Candle = [10 * minute, '100', '102', '99', '101', '7'];

describe('the running candle', () => {
	it('stretches to a new high or low', () => {
		expect(running(last, '103', 10 * minute + 5, minute)).toEqual([10 * minute, '100', '103', '99', '103', '7']);
		expect(running(last, '98.5', 10 * minute + 5, minute)).toEqual([
			10 * minute,
			'100',
			'102',
			'98.5',
			'98.5',
			'7'
		]);
	});
	it('only closes elsewhere in between', () => {
		expect(running(last, '100', 10 * minute + 5, minute)).toEqual([10 * minute, '100', '102', '99', '100', '7']);
	});
	it('gives way to a new one when its time is over', () => {
		expect(running(last, '103', 11 * minute + 1, minute)).toEqual([11 * minute, '103', '103', '103', '103', '0']);
	});
	it('starts with the first price when there are none', () => {
		expect(running(undefined, '5', 90_000, minute)).toEqual([minute, '5', '5', '5', '5', '0']);
	});
	it('is not changed by late news', () => expect(running(last, '50', 9 * minute, minute)).toBeNull());
});

describe('the candle of a fill', () => {
	const candles: Candle[] = [0, 1, 2].map((n) => [n * minute, '1', '1', '1', '1', '0']);
	it('is the one whose time holds it', () => {
		expect(candleAt(candles, minute)).toBe(minute);
		expect(candleAt(candles, 2 * minute - 1)).toBe(minute);
	});
	it('is the nearest end outside', () => {
		expect(candleAt(candles, -5)).toBe(0);
		expect(candleAt(candles, 99 * minute)).toBe(2 * minute);
		expect(candleAt([], 5)).toBeUndefined();
	});
});
