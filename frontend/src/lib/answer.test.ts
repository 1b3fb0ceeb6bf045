import { describe, expect, it } from 'vitest';
import { Answer } from './answer.svelte';
import { ApiProblem } from './api/problem';

describe('Answer', () => {
	it('waits, then has its value', async () => {
		const answer = new Answer<number>();
		const asked = answer.ask(async () => 7);
		expect(answer.waiting).toBe(true);
		await asked;
		expect([answer.value, answer.waiting]).toEqual([7, false]);
	});
	it('keeps the last value beside a later problem', async () => {
		const answer = new Answer<number>();
		await answer.ask(async () => 7);
		await answer.ask(() => Promise.reject(ApiProblem.unreachable()));
		expect([answer.value, answer.problem?.code]).toEqual([7, 'unreachable']);
	});
	it('drops an answer that a newer question overtook', async () => {
		const answer = new Answer<string>();
		let late: (value: string) => void = () => {};
		const first = answer.ask(() => new Promise((resolve) => (late = resolve)));
		await answer.ask(async () => 'new');
		late('old');
		await first;
		expect(answer.value).toBe('new');
	});
});
