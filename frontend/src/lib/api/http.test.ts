import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { csrfToken, request } from './http';
import { ApiProblem } from './problem';

const answers = vi.fn<typeof fetch>();
const problem = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });

/** What a call that must fail fails with. */
const problemOf = (call: Promise<unknown>): Promise<ApiProblem> =>
	call.then(
		() => Promise.reject(new Error('It succeeded.')),
		(error: ApiProblem) => error
	);

describe('the CSRF token', () => {
	it('is found under its plain and its guarded name', () => {
		expect(csrfToken('a=1; csrftoken=abc')).toBe('abc');
		expect(csrfToken('__Host-csrftoken=xyz; b=2')).toBe('xyz');
		expect(csrfToken('othercsrftoken=1')).toBe('');
	});
});

describe('a request', () => {
	beforeEach(() => {
		vi.stubGlobal('fetch', answers);
		vi.stubGlobal('document', { cookie: 'csrftoken=abc' });
	});
	afterEach(() => {
		vi.unstubAllGlobals();
		answers.mockReset();
	});

	it('leaves empty filters out of the address', async () => {
		answers.mockResolvedValue(new Response('{}'));
		await request('GET', '/journal', { query: { q: '', account: 1, side: undefined, from: null } });
		expect(answers.mock.calls[0][0]).toBe('/api/v1/journal?account=1');
	});
	it('that changes something carries the token and its key', async () => {
		answers.mockResolvedValue(new Response('{}'));
		await request('POST', '/trades', { body: {}, key: 'k' });
		const headers = new Headers(answers.mock.calls[0][1]?.headers);
		expect([headers.get('X-CSRFToken'), headers.get('Idempotency-Key')]).toEqual(['abc', 'k']);
	});
	it('that is refused says what and how to cure it, field by field', async () => {
		const fault = { message: 'The stop is above.', cure: 'Set it below 64,000.', code: 'wrong_side' };
		answers.mockResolvedValue(
			problem(422, { title: 'Wrong plan', code: 'invalid_plan', errors: { stop: [fault] } })
		);
		const refused = await problemOf(request('POST', '/trades'));
		expect(refused.fault('stop')).toEqual(fault);
		expect(refused.cure).toBe('Set it below 64,000.');
	});
	it('that meets a page instead of an answer still says something useful', async () => {
		answers.mockResolvedValue(new Response('<html>', { status: 502 }));
		const refused = await problemOf(request('GET', '/me'));
		expect(refused.title).toBe('The server has a problem');
	});
	it('without a connection says that nothing was changed', async () => {
		answers.mockRejectedValue(new TypeError('Failed to fetch'));
		const lost = await problemOf(request('GET', '/me'));
		expect([lost.code, lost.status]).toEqual(['unreachable', 0]);
	});
});
