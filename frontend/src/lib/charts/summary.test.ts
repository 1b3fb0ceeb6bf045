import { describe, expect, it } from 'vitest';
import { summary } from './summary';
import type { Candle } from './types';

const candles: Candle[] = [
	[0, '100', '110', '95', '105', '1'],
	[60_000, '105', '120', '104', '110', '1']
];

describe('the chart in words', () => {
	it('says what the candles did', () => {
		expect(summary({ label: 'BTC/USDT, 1m', tick: '0.1', candles })).toBe(
			'BTC/USDT, 1m: 2 candles from 1 Jan 1970 00:00 to 1 Jan 1970 00:01. ' +
				'Last price 110.0, +10.00 % over the chart, between 95.0 and 120.0.'
		);
	});
	it('names lines, fills and the way of the stop', () => {
		const words = summary({
			label: 'BTC/USDT',
			tick: '1',
			candles,
			lines: [{ id: 'stop', price: '90', tone: 'stop', label: 'Stop · −1R' }],
			fills: [{ time: 0, price: '100', quantity: '1', order_side: 'buy', role: 'take_profit', leg: 1 }],
			stops: [{ time: 0, price: '90' }]
		});
		expect(words).toContain('Lines: Stop · −1R at 90.');
		expect(words).toContain('Fills: TP2 at 100 on 1 Jan 1970 00:00.');
		expect(words).toContain('The stop stood at 90 from 1 Jan 1970 00:00.');
	});
	it('says so when there is nothing', () => {
		expect(summary({ label: 'BTC/USDT', tick: '1', candles: [] })).toBe('BTC/USDT: no candles yet.');
	});
});
