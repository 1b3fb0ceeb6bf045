import { describe, expect, it } from 'vitest';
import type { Protected } from '$lib/api/types';
import { protectionWords } from './protection';

const words = (state: Protected['state'], status: 'pending' | 'open' = 'open', hands_off = false) =>
	protectionWords({ protected: { state, since: null, checked_at: null, by: null }, status, hands_off })?.words;

describe('the protected badge', () => {
	it('tells a live stop from one under way and from none', () => {
		expect([words('protected'), words('waiting'), words('naked')]).toEqual([
			'protected',
			'stop being placed',
			'NOT protected'
		]);
	});
	it('never claims protection before there is a position', () => {
		expect(words('flat', 'pending')).toBe('stop follows the entry');
		expect(words('waiting', 'pending')).toBe('stop follows the entry');
		expect(words('flat')).toBeUndefined();
	});
	it('says that nobody watches where the venue tells nothing of the symbol', () =>
		expect(words('unwatched')).toBe('NOT watched'));
	it('says when the trader took over', () => expect(words('naked', 'open', true)).toBe('hands off: not managed'));
});
