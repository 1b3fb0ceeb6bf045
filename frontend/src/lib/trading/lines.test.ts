import { describe, expect, it } from 'vitest';
import type { Preview, TradeOrder, TradeStory } from '$lib/api/types';
import { draftLines, stopMoves, tradeLines } from './lines';
import { PlanDraft } from './plan-draft.svelte';
import { applyDefaults } from './presets';

function draft(): PlanDraft {
	const plan = new PlanDraft();
	plan.tick = '0.1';
	plan.reference = '64000';
	plan.stop = '62720';
	applyDefaults(plan);
	return plan;
}

const preview = {
	entries: [{ price: '64000', quantity: '0.0742', fee: '1' }],
	targets: [{ net: '30.1' }, { net: '62' }, { net: '99' }],
	possible: { loss_at_stop: '99.87', liquidation_price: '58112.3' }
} as unknown as Preview;

describe('the lines of the ticket', () => {
	it('carry distance, money and R', () => {
		expect(draftLines(draft(), preview).map((line) => line.label)).toEqual([
			'Entry · market · 0.0742',
			'Stop · −2.00 % · −99.87 · −1R',
			'TP1 · 33 % · +30.10 · +1.0R',
			'TP2 · 33 % · +62.00 · +2.0R',
			'TP3 · 34 % · +99.00 · +3.0R',
			'Liquidation'
		]);
	});
	it('are drawn before the server has answered', () => {
		expect(draftLines(draft(), undefined).map((line) => line.price)).toEqual([
			'64000',
			'62720',
			'65280',
			'66560',
			'67840'
		]);
	});
	it('leave out what has no price yet', () => {
		const plan = draft();
		plan.stop = '';
		expect(draftLines(plan, undefined).map((line) => line.id)).toEqual(['entry-0']);
	});
	it('show where a waiting entry is withdrawn', () => {
		const plan = draft();
		plan.setEntryKind('limit');
		plan.cancelAbove = '66,000';
		expect(draftLines(plan, undefined)).toContainEqual(
			expect.objectContaining({ id: 'above', price: '66000', tone: 'cancel' })
		);
	});
});

const plan = {
	entries: [{ kind: 'limit', price: '100' }],
	stop: { price: '95' },
	take_profits: [{ price: '110' }, { price: '120' }],
	cancel: { above: '110' }
};

describe('the lines of a trade', () => {
	const trade = {
		status: 'open',
		plan,
		average_entry: '100.5',
		ladder: [],
		stop: { price: '101', kind: 'break_even' }
	};
	const linesOf = (changes: object) =>
		tradeLines({ ...trade, ...changes } as unknown as TradeStory).map(({ label, price }) => `${label} ${price}`);

	it('show the average entry and where the stop stands now', () => {
		expect(linesOf({})).toEqual(['Average entry 100.5', 'Stop · break-even 101', 'TP1 110', 'TP2 120']);
	});
	it('show the waiting entry and its withdrawal while pending', () => {
		expect(linesOf({ status: 'pending', average_entry: null, stop: null })).toContain('Withdraw entry above 110');
	});
	it('show the first plan once it is over', () => {
		const first_plan = { ...plan, stop: { price: '94' } };
		expect(linesOf({ status: 'closed', first_plan })).toContain('First stop 94');
	});
});

describe('the way of the stop', () => {
	const order = (role: string, trigger: string, placed_at: string) =>
		({ role, trigger, placed_at, reason: role }) as TradeOrder;

	it('follows the stop orders in time, to the close', () => {
		const orders = [
			order('stop', '101', '2026-01-01T02:00:00Z'),
			order('take_profit', '110', '2026-01-01T01:00:00Z'),
			order('stop', '95', '2026-01-01T01:00:00Z')
		];
		expect(stopMoves(orders, '2026-01-01T03:00:00Z').map(({ price, time }) => [price, time])).toEqual([
			['95', '2026-01-01T01:00:00Z'],
			['101', '2026-01-01T02:00:00Z'],
			['101', '2026-01-01T03:00:00Z']
		]);
	});
	it('is empty without stop orders', () => expect(stopMoves([], null)).toEqual([]));
});
