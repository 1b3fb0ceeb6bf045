import { describe, expect, it } from 'vitest';
import {
	averagePrice,
	hasMoved,
	mirrored,
	percentBetween,
	priceAtPercent,
	priceAtR,
	progress,
	rAt,
	fromScale,
	sideOf,
	stepped,
	suggestStop
} from './geometry';

describe('side', () => {
	it('is long with the stop below the entry and short above', () => {
		expect(sideOf('64000', '62720')).toBe('long');
		expect(sideOf('64000', '65000')).toBe('short');
	});
	it('is unknown while entry and stop are equal or missing', () => {
		expect(sideOf('64000', '64000')).toBeNull();
		expect(sideOf('', '64000')).toBeNull();
		expect(sideOf('64000', 'x')).toBeNull();
	});
});

describe('R and prices', () => {
	it('turns R into a price on the tick, for long and short', () => {
		expect(priceAtR('64000', '62720', '1.5', '0.1')).toBe('65920');
		expect(priceAtR('100', '103', '2', '0.5')).toBe('94');
		expect(priceAtR('3.3333', '3.1111', '1', '0.01')).toBe('3.56');
	});
	it('and back', () => {
		expect(rAt('64000', '62720', '65920')).toBe('1.5');
		expect(rAt('100', '103', '94')).toBe('2');
		expect(rAt('100', '103', '103')).toBe('-1');
	});
	it('gives no price at or below zero', () => expect(priceAtR('100', '160', '2', '1')).toBe(''));
	it('turns percent into a price in favour of the side', () => {
		expect(priceAtPercent('200', 'long', '1.5', '0.1')).toBe('203');
		expect(priceAtPercent('200', 'short', '1.5', '0.1')).toBe('197');
	});
	it('measures signed distances', () => expect(percentBetween('64000', '62720')).toBe('-2'));
	it('mirrors a stop around the entry', () => expect(mirrored('100', '97.5', '0.5')).toBe('102.5'));
});

describe('average entry', () => {
	it('is weighted by share', () => {
		const legs = [
			{ price: '100', share: '75' },
			{ price: '96', share: '25' }
		];
		expect(averagePrice(legs)).toBe('99');
	});
	it('is unknown while a leg has no price', () => expect(averagePrice([{ price: '', share: '100' }])).toBe(''));
});

describe('suggested stop', () => {
	const candles = Array.from(
		{ length: 30 },
		(_, i) => [i, '100', '101', i === 25 ? '98' : '99.5', '100', '1'] as const
	);
	it('lies at the recent low for a long, at the recent high for a short', () => {
		expect(suggestStop('long', '102', candles, '0.1')).toBe('98');
		expect(suggestStop('short', '98.5', candles, '0.1')).toBe('101');
	});
	it('keeps its distance when the price sits on the extreme', () => {
		expect(sideOf('98', suggestStop('long', '98', candles, '0.1'))).toBe('long');
	});
	it('leaves room for the costs', () => {
		const calm = candles.map(([time]) => [time, '100', '100.1', '99.9', '100', '1'] as const);
		expect(suggestStop('long', '100', calm, '0.1')).toBe('99.2');
	});
	it('is never wider than five percent', () => expect(suggestStop('long', '200', candles, '0.1')).toBe('190'));
	it('is empty without candles', () => expect(suggestStop('long', '100', [], '0.1')).toBe(''));
});

describe('movement', () => {
	it('is noticed from a twentieth of the stop distance on', () => {
		expect(hasMoved('100', '100.04', '99')).toBe(false);
		expect(hasMoved('100', '100.05', '99')).toBe(true);
		expect(hasMoved('', '100', '')).toBe(true);
	});
	it('is a fraction of the way for bars', () => {
		expect(progress('100', '110', '104')).toBeCloseTo(0.4);
		expect(progress('100', '90', '120')).toBe(0);
	});
});

describe('a price', () => {
	it('moves by ticks with the arrow keys', () => {
		expect(stepped('64000', '0.1', 1)).toBe('64000.1');
		expect(stepped('64000.05', '0.1', -10)).toBe('63999.1');
	});
	it('stays when it cannot move', () => {
		expect(stepped('', '0.1', 1)).toBe('');
		expect(stepped('0.1', '0.1', -5)).toBe('0.1');
	});
	it('from the chart lies on the tick', () => {
		expect(fromScale(64182.4999, '0.1')).toBe('64182.5');
		expect(fromScale(0.00000123, '0.0000001')).toBe('0.0000012');
	});
});
