import { describe, expect, it } from 'vitest';
import type { TradeOrder } from '$lib/api/types';
import { listed } from './pairs';

const order = (changes: Partial<TradeOrder>) =>
	({
		client_id: 's1',
		role: 'stop',
		leg: 1,
		order_side: 'sell',
		kind: 'stop_market',
		quantity: '0.04',
		price: null,
		trigger: '62000',
		status: 'open',
		paired_with: null,
		reason: 'first',
		cancel_reason: '',
		refusal: '',
		...changes
	}) as TradeOrder;
const target = (changes: Partial<TradeOrder>) =>
	order({
		client_id: 't1',
		role: 'take_profit',
		leg: 0,
		price: '66000',
		trigger: null,
		paired_with: 's1',
		...changes
	});
const told = (...orders: TradeOrder[]) => listed(orders, '0.1', 'BTC').map(({ name, what, why }) => [name, what, why]);

describe('listed', () => {
	it('shows a stop and the target sent with it as one', () => {
		expect(told(order({}), target({}))).toEqual([
			['Stop or TP1', 'sell 0.04 BTC at 62,000.0 or 66,000.0, whichever comes first', 'first · resting']
		]);
	});
	it('says of each half what came of it', () => {
		expect(told(order({ status: 'expired' }), target({ status: 'filled' }))[0][2]).toBe(
			'stop expired · TP1 filled'
		);
	});
	it('leaves every other order alone', () => {
		const sale = target({ client_id: 't2', leg: 1, paired_with: null });
		expect(told(order({}), sale).map(([name]) => name)).toEqual(['Stop', 'TP2']);
	});
	it('hides no half whose other one is not told', () => {
		expect(told(target({})).map(([name]) => name)).toEqual(['TP1']);
	});
});
