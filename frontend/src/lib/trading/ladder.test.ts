import { describe, expect, it } from 'vitest';
import type { Rung } from '$lib/api/types';
import { rungsOf } from './ladder';

const rung = (values: Partial<Rung>): Rung => ({
	role: 'take_profit',
	leg: 0,
	price: '1',
	quantity: '2',
	filled: '0',
	status: 'open',
	...values
});

describe('the ladder', () => {
	it('says what has filled', () => {
		const ladder = [
			rung({ role: 'entry', filled: '2', status: 'filled' }),
			rung({ filled: '0.5', status: 'partial' }),
			rung({ leg: 1 })
		];
		expect(rungsOf({ ladder }).map(({ words, part }) => [words, part])).toEqual([
			['Entry filled', 1],
			['TP1 partly filled', 0.25],
			['TP2 resting', 0]
		]);
	});
	it('fills its bar however small the quantities', () => {
		const ladder = [rung({ quantity: '0.03' }), rung({ quantity: '0.01', leg: 1 })];
		expect(rungsOf({ ladder }).map(({ weight }) => Math.round(weight))).toEqual([75, 25]);
	});
	it('numbers entries only when there are several', () => {
		const ladder = [rung({ role: 'entry' }), rung({ role: 'entry', leg: 1 })];
		expect(rungsOf({ ladder }).map(({ name }) => name)).toEqual(['Entry 1', 'Entry 2']);
	});
});
