import { csrfToken, send } from './http';
import { ApiProblem, type FieldFault } from './problem';

/** Signing in and out, by django-allauth's headless API: its answers and errors have a shape of their own. */
const ROOT = '/_allauth/browser/v1';

interface AuthFault {
	message: string;
	code: string;
	param?: string;
}

async function problemOf(response: Response): Promise<ApiProblem> {
	const body = (await response.json().catch(() => ({}))) as { errors?: AuthFault[] };
	const errors: Record<string, FieldFault[]> = {};
	for (const { param = '', message, code } of body.errors ?? [])
		(errors[param] ??= []).push({ message, cure: '', code });
	if (response.status === 429)
		return new ApiProblem(429, { title: 'Too many attempts', detail: 'Wait a minute, then try again.' });
	const detail = body.errors?.map((fault) => fault.message).join(' ');
	return new ApiProblem(response.status, { title: 'That did not work', detail, errors });
}

/** A fresh visitor has no CSRF cookie yet: reading the session sets one. */
export async function post(path: string, body: unknown): Promise<void> {
	if (!csrfToken()) await send('GET', `${ROOT}/auth/session`);
	const response = await send('POST', ROOT + path, { body });
	if (!response.ok) throw await problemOf(response);
}

export const signIn = (email: string, password: string) => post('/auth/login', { email, password });
export const signUp = (email: string, password: string) => post('/auth/signup', { email, password });
export const changePassword = (current_password: string, new_password: string) =>
	post('/account/password/change', { current_password, new_password });

/** A successful sign-out is answered with 401: nobody is signed in any more. */
export async function signOut(): Promise<void> {
	const response = await send('DELETE', `${ROOT}/auth/session`);
	if (!response.ok && response.status !== 401) throw await problemOf(response);
}

export async function isSignedIn(): Promise<boolean> {
	return (await send('GET', `${ROOT}/auth/session`)).ok;
}
