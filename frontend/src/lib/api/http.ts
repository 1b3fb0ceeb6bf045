import { ApiProblem } from './problem';

export type Query = Record<string, string | number | boolean | null | undefined>;

export interface Options {
	query?: Query;
	body?: unknown;
	/** Idempotency key: the same key makes a repeated request answer as the first did. */
	key?: string;
	signal?: AbortSignal;
}

const ROOT = '/api/v1';

/** The CSRF token the server left in a cookie; https installs prefix its name. */
export function csrfToken(cookies = document.cookie): string {
	return /(?:^|;\s*)(?:__Host-|__Secure-)?csrftoken=([^;]*)/.exec(cookies)?.[1] ?? '';
}

function addressOf(path: string, query: Query = {}): string {
	const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
	const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
	return given.length ? `${path}?${search}` : path;
}

function initOf(method: string, { body, key, signal }: Options): RequestInit {
	const headers = new Headers({ Accept: 'application/json' });
	if (method !== 'GET') headers.set('X-CSRFToken', csrfToken());
	if (key) headers.set('Idempotency-Key', key);
	const isForm = body instanceof FormData;
	if (body !== undefined && !isForm) headers.set('Content-Type', 'application/json');
	return { method, headers, signal, credentials: 'same-origin', body: isForm ? body : JSON.stringify(body) };
}

/** Fetches, and turns "no answer" into a problem; an abort stays an abort. */
export async function send(method: string, address: string, options: Options = {}): Promise<Response> {
	try {
		return await fetch(addressOf(address, options.query), initOf(method, options));
	} catch (error) {
		if (options.signal?.aborted) throw error;
		throw ApiProblem.unreachable();
	}
}

/** One call of the API. Throws an ApiProblem for every answer that is not a success. */
export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
	const response = await send(method, ROOT + path, options);
	if (!response.ok) throw await ApiProblem.from(response);
	return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}
