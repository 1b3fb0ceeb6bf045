import { describe, expect, it } from 'vitest';
import type { TradeEvent, TradeOrder } from '$lib/api/types';
import { chartWindow, inOrder, nameOf, whatOf, whyOf } from './timeline';

const order = {
	role: 'take_profit',
	leg: 1,
	order_side: 'sell',
	quantity: '0.030',
	price: '66500',
	trigger: null,
	status: 'cancelled',
	reason: 'target of the plan',
	cancel_reason: 'plan amended',
	refusal: ''
} as TradeOrder;

describe('an order in words', () => {
	it('has a name', () => {
		expect(nameOf(order)).toBe('TP2');
		expect(nameOf({ ...order, role: 'stop', leg: 0 })).toBe('Stop');
		expect(nameOf({ ...order, role: 'entry', leg: 0 })).toBe('Entry');
	});
	it('says what it does', () => {
		expect(whatOf(order, '0.1')).toBe('sell 0.03 at 66,500.0');
		expect(whatOf({ ...order, price: null })).toBe('sell 0.03 at market');
	});
	it('says why it was there and why it is no more', () =>
		expect(whyOf(order)).toBe('target of the plan · cancelled: plan amended'));
});

describe('the story', () => {
	it('is told forwards, a wish before its fill even where the clock of the exchange is behind', () => {
		const at = (id: number, time: string) => ({ id, time }) as TradeEvent;
		const [wish, fill, close] = [
			at(1, '2026-01-01T00:01:01Z'),
			at(2, '2026-01-01T00:01:00Z'),
			at(3, '2026-01-01T00:02:00Z')
		];
		expect(inOrder([close, fill, wish])).toEqual([wish, fill, close]);
	});
});

describe('the chart window', () => {
	const story = { created_at: '2026-01-01T00:00:00Z', opened_at: '2026-01-01T00:00:00Z', fills: [] };

	it('draws an hour in minutes', () =>
		expect(chartWindow({ ...story, closed_at: '2026-01-01T01:00:00Z' }, 0)).toEqual({
			timeframe: '1m',
			from: '2025-12-31T23:45:00.000Z',
			to: '2026-01-01T01:15:00.000Z'
		}));
	it('draws a week in hours', () =>
		expect(chartWindow({ ...story, closed_at: '2026-01-08T00:00:00Z' }, 0).timeframe).toBe('1h'));
	it('reaches to now while the trade lasts', () =>
		expect(chartWindow({ ...story, closed_at: null }, Date.parse('2026-01-01T02:00:00Z')).to).toBe(
			'2026-01-01T02:30:00.000Z'
		));
});
