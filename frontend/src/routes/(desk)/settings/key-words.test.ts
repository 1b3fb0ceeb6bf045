import { describe, expect, it } from 'vitest';
import type { Key } from '$lib/api/types';
import { clockWords, recipeFor, rightsOf } from './key-words';

const NOW = Date.parse('2026-11-21T08:00:00Z');
const said = (changes: Partial<Key>) =>
	rightsOf(
		{ can_trade: 'yes', can_withdraw: 'no', ip_bound: 'yes', expires_at: null, ...changes } as Key,
		{ name: 'Binance', spot: false },
		NOW
	).map(({ tone, words }) => `${tone}: ${words}`);

describe('rightsOf', () => {
	it('says a safe key in four lines', () => {
		expect(said({})).toEqual([
			'good: Can trade',
			'good: Cannot withdraw',
			'good: Bound to IP addresses',
			'plain: No end is known'
		]);
	});
	it('never calls safe what the venue did not say', () => {
		const found = said({ can_trade: 'cannot_tell', can_withdraw: 'cannot_tell', ip_bound: 'cannot_tell' });
		expect(found.filter((line) => line.startsWith('good'))).toEqual([]);
		expect(found).toContain('warn: Cannot tell whether it can withdraw');
	});
	it('asks for the right that the market needs', () => {
		const note = (spot: boolean) => rightsOf({ can_trade: 'no' } as Key, { name: 'Binance', spot }, NOW)[0].note;
		expect([note(false), note(true)]).toEqual([
			'Allow futures trading at Binance.',
			'Allow spot trading at Binance.'
		]);
	});
	it('tells when a key ends, and when that is soon', () => {
		expect(said({ expires_at: '2027-06-01T00:00:00Z' })).toContain('plain: Ends on 1 Jun 2027');
		expect(said({ expires_at: '2026-11-30T00:00:00Z' })).toContain('warn: Ends on 30 Nov 2026');
		expect(said({ expires_at: '2026-11-20T00:00:00Z' })).toContain('bad: Ended on 20 Nov 2026');
	});
});

describe('clockWords', () => {
	it('tells which clock is ahead, and when that is far', () => {
		expect(clockWords(null)).toEqual({ words: 'not compared yet', isFar: false });
		expect(clockWords(0)).toEqual({ words: 'as ours', isFar: false });
		expect(clockWords(-120)).toEqual({ words: '120 ms behind', isFar: false });
		expect(clockWords(3200)).toEqual({ words: '3 s ahead', isFar: true });
	});
});

describe('recipeFor', () => {
	it('sends practice keys elsewhere than real ones, and knows no venue that it could not help with', () => {
		expect(recipeFor('binance', 'testnet').where).toContain('demo.binance.com');
		expect(recipeFor('binance', 'live').where).not.toContain('demo');
		expect(recipeFor('binance-spot', 'live').trade).toContain('Spot');
		expect(['binance', 'kraken', 'kraken-spot'].map((venue) => recipeFor(venue, 'live').tells)).toEqual([
			true,
			false,
			true
		]);
		expect(recipeFor('kraken-spot', 'live').never).toContain('withdraw');
		expect(recipeFor('anything', 'live').never).toBe('Withdrawals and transfers');
	});
});
