import { describe, expect, it } from 'vitest';
import type { PlanDocument } from './plan-document';
import { afterWords, cancelWords, minutesWords, ruleWords } from './words';

const plan: PlanDocument = {
	symbol: 'BTC/USDT:USDT',
	entries: [{ kind: 'market' }],
	stop: { price: '1' },
	take_profits: [],
	risk: { percent: '1' }
};

describe('words', () => {
	it('of a duration are short', () => {
		expect(['45', '240', '90', '2880', '0'].map(minutesWords)).toEqual([
			'45 min',
			'4 h',
			'1 h 30 min',
			'2 d',
			'0 min'
		]);
	});
	it('of a beginning', () => {
		expect([{ take_profit: 1 }, { r: '1.5' }, { percent: '2' }, { minutes: '30' }].map(afterWords)).toEqual([
			'TP1',
			'+1.5R',
			'+2 %',
			'30 min'
		]);
	});
	it('of the rules come one chip each', () => {
		const rules = {
			break_even: { after: { take_profit: 1 }, cover: 'costs' as const },
			step: true,
			trail: { percent: '1.5', after: { r: '2' } },
			close_after_minutes: '480'
		};
		expect(ruleWords({ ...plan, rules })).toEqual([
			'break-even + costs after TP1',
			'then step to the target before',
			'trail 1.5 % behind the best price after +2R',
			'close after 8 h'
		]);
		expect(ruleWords(plan)).toEqual([]);
	});
	it('of the withdrawal leave out what is not set', () => {
		expect(
			cancelWords({ ...plan, cancel: { above: '65000', below: null, at_take_profit: 1, after_minutes: 240 } })
		).toEqual(['above 65000', 'runs to TP1', 'after 4 h']);
	});
});
