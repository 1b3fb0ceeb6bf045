import { describe, expect, it } from 'vitest';
import type { Health } from '$lib/api/types';
import { age, every, healthLine, oldest, partName, taskName } from './health-words';
import { proofWords } from './settings/proof-words';

const NOW = Date.parse('2026-05-01T12:00:00Z');
const at = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();
const account = (changes: Partial<Health['accounts'][number]> = {}): Health['accounts'][number] => ({
	id: 1,
	name: 'Demo',
	light: 'green',
	trades: 1,
	good_look_at: at(4),
	trouble: '',
	heard_at: null,
	uncovered: [],
	...changes
});
const health = (changes: Partial<Health> = {}): Health => ({
	light: 'green',
	now: at(0),
	parts: [{ name: 'worker', light: 'green', age_seconds: 1 }],
	tasks: [],
	queues: [],
	accounts: [account()],
	...changes
});

describe('the one line', () => {
	it('says that all is well, and how old the oldest reading is', () => {
		const accounts = [account(), account({ id: 2, good_look_at: at(9) })];
		expect(healthLine(health({ accounts }), NOW)).toEqual({
			light: 'green',
			word: 'Connected',
			more: 'read 9 s ago'
		});
	});
	it('says first that something is held without a stop', () => {
		const bad = health({
			light: 'red',
			accounts: [account({ light: 'red', good_look_at: at(90) }), account({ light: 'red', uncovered: [7] })]
		});
		expect(healthLine(bad, NOW).word).toBe('No stop');
	});
	it('names the account that nobody looks at, and its age', () => {
		const bad = health({ light: 'red', accounts: [account({ light: 'red', good_look_at: at(90) })] });
		expect(healthLine(bad, NOW)).toEqual({
			light: 'red',
			word: 'Not looked after',
			more: 'Demo: read 1 m 30 s ago'
		});
	});
	it('names the part that is down or late', () => {
		const part = (light: 'amber' | 'red', name: string) =>
			health({ light, parts: [{ name, light, age_seconds: null }] });
		expect(healthLine(part('red', 'beat'), NOW).word).toBe('Scheduler down');
		expect(healthLine(part('amber', 'stream'), NOW).word).toBe('Stream of the venues late');
		const task = { name: 'buddy.trading.tasks.tick', light: 'amber' as const, age_seconds: 60, period_seconds: 1 };
		expect(healthLine(health({ light: 'amber', tasks: [task] }), NOW).word).toBe('Send prices late');
	});
	it('is not late because one account was never read', () => {
		expect(oldest([account(), account({ id: 2, good_look_at: null })])?.id).toBe(2);
		expect(healthLine(health({ accounts: [] }), NOW).more).toBe('');
	});
});

describe('names and ages', () => {
	it('are plain words', () => {
		expect([partName('beat'), partName('new_part')]).toEqual(['Scheduler', 'New part']);
		expect([taskName('buddy.trading.tasks.watch_all'), taskName('a.b.new_task')]).toEqual([
			'Look at accounts',
			'New task'
		]);
		expect([age(null), age(61.2), every(2)]).toEqual(['–', '1 m 1 s', 'every 2 s']);
	});
});

describe('the proof of an order', () => {
	const proof = { outcome: 'proved' as const, at: at(10_800), why: '', placed: true, seen: true, cancelled: true };
	it('tells when all went well', () => {
		expect(proofWords(proof, NOW)).toEqual({
			head: 'Proved 3 h ago:',
			text: 'an order was placed, seen and cancelled.',
			isBad: false
		});
	});
	it('tells plainly why not', () => {
		const told = proofWords({ ...proof, outcome: 'failed', why: 'no money.' }, NOW);
		expect(told).toEqual({ head: 'Not proved, 3 h ago:', text: 'no money.', isBad: true });
	});
	it('tells how far it is, or that it was not tried', () => {
		expect(proofWords({ ...proof, outcome: 'running', seen: false }, NOW).text).toBe('an order far off is placed.');
		expect(proofWords({ ...proof, outcome: 'never', at: null }, NOW).isBad).toBe(false);
	});
});
