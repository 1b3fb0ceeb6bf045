import { describe, expect, it } from 'vitest';
import { filterOf, isOneDay, withFilter } from './filters';

describe('filters', () => {
	it('start with the current account', () => expect(filterOf(new URLSearchParams(), 3)).toEqual({ account: 3 }));
	it('cover every account when the address says so', () =>
		expect(filterOf(new URLSearchParams('account=all&result=win'), 3)).toEqual({ result: 'win' }));
	it('ignore what they do not know', () =>
		expect(filterOf(new URLSearchParams('evil=1&q=btc'), 3)).toEqual({ account: 3, q: 'btc' }));
	it('change one at a time', () => {
		const search = new URLSearchParams('result=win&side=long');
		expect(withFilter(search, { side: '' })).toBe('?result=win');
		expect(withFilter(search, { result: 'loss' })).toBe('?result=loss&side=long');
	});
	it('know a single day', () => {
		expect(isOneDay(new URLSearchParams('from=2026-11-03&to=2026-11-03'))).toBe(true);
		expect(isOneDay(new URLSearchParams('from=2026-11-03'))).toBe(false);
	});
});
