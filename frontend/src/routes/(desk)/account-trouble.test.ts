import { describe, expect, it } from 'vitest';
import type { Account } from '$lib/api/types';
import { troublesOf } from './account-trouble';

const NOW = Date.parse('2026-11-21T08:00:00Z');
const KEY = { can_trade: 'yes', can_withdraw: 'no', ip_bound: 'yes', expires_at: null, refused_at: null, trouble: '' };
const account = (changes: object = {}): Account =>
	({
		id: 7,
		name: 'Main',
		mode: 'live',
		label: 'Live · Binance',
		state: 'active',
		position_mode: 'one_way',
		connection: { state: 'ok', trouble: '', good_look_at: '2026-11-21T07:59:58Z', looked_at: null },
		key: KEY,
		venue_facts: { position_mode: 'one_way' },
		...changes
	}) as unknown as Account;
const titles = (changes: object) => troublesOf(account(changes), NOW).map(({ tone, title }) => `${tone}: ${title}`);

describe('troublesOf', () => {
	it('is silent about an account that is well', () => {
		expect(titles({})).toEqual([]);
	});
	it('shouts when the key is refused, and says once what follows from it', () => {
		const connection = { state: 'waiting', trouble: 'The key is refused.', good_look_at: null };
		const found = troublesOf(account({ key: { ...KEY, refused_at: '2026-11-21T07:00:00Z' }, connection }), NOW);
		expect(found.map(({ id }) => id)).toEqual(['7 refused']);
		expect(found[0]).toMatchObject({ tone: 'loss', isBlind: true, cure: { href: '/settings#account-7' } });
	});
	it('waits half a minute before a venue that is away becomes an alarm', () => {
		const away = (good_look_at: string | null) => ({
			connection: { state: 'waiting', trouble: 'Gone.', good_look_at }
		});
		expect(titles(away('2026-11-21T07:59:40Z'))).toEqual(['warn: Binance cannot be read for Main']);
		expect(titles(away('2026-11-21T07:59:20Z'))).toEqual(['loss: Binance cannot be read for Main']);
		expect(titles(away(null))).toEqual(['loss: Binance cannot be read for Main']);
	});
	it('takes nothing for safe that was not said, and cries only over what was', () => {
		expect(titles({ key: { ...KEY, can_withdraw: 'cannot_tell', can_trade: 'cannot_tell' } })).toEqual([]);
		expect(titles({ key: { ...KEY, can_withdraw: 'yes' } })).toEqual(['loss: The key of Main may withdraw money']);
	});
	it('warns of the end of a key two weeks ahead', () => {
		const ends = (expires_at: string) => titles({ key: { ...KEY, expires_at } });
		expect(ends('2026-12-06T08:00:00Z')).toEqual([]);
		expect(ends('2026-12-05T08:00:00Z')).toEqual(['warn: The key of Main ends soon']);
		expect(ends('2026-11-21T07:59:59Z')).toEqual(['loss: The key of Main has ended']);
	});
	it('names a position mode that is not the one wanted', () => {
		expect(titles({ venue_facts: { position_mode: 'hedge' } })).toEqual(['warn: Main is in hedge mode at Binance']);
		expect(titles({ venue_facts: { position_mode: null } })).toEqual([]);
	});
	it('asks no key of paper', () => {
		const paper = { mode: 'paper', label: 'Paper · simulated prices', key: null, venue_facts: null };
		expect(titles(paper)).toEqual([]);
		expect(titles({ ...paper, state: 'halted' })).toEqual(['warn: Main is halted']);
	});
});
