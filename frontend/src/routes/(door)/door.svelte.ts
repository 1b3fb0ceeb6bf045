import { goto } from '$app/navigation';
import { ApiProblem } from '$lib/api/problem';

/** Only addresses of our own: a link must not carry a fresh session to another site. */
export function nextAddress(search: URLSearchParams, fallback = '/trade'): string {
	const next = search.get('next') ?? '';
	return /^\/(?![/\\])/.test(next) ? next : fallback;
}

/** What the sign-in and the sign-up page share: two fields, one attempt at a time, and what the server said. */
export class Door {
	email = $state('');
	password = $state('');
	busy = $state(false);
	problem = $state.raw<ApiProblem | null>(null);

	/** The sentence above the form, for what belongs to no field. */
	get general(): string {
		if (!this.problem) return '';
		const { fault, errors } = { fault: this.problem.fault(''), errors: this.problem.errors };
		return Object.keys(errors).length === 0 ? this.problem.cure : (fault?.message ?? '');
	}

	fault(field: 'email' | 'password'): string {
		return this.problem?.fault(field)?.message ?? '';
	}

	async enter(attempt: (email: string, password: string) => Promise<void>, next: string): Promise<void> {
		this.busy = true;
		this.problem = null;
		try {
			await attempt(this.email.trim(), this.password);
			await goto(next);
		} catch (error) {
			if (!(error instanceof ApiProblem)) throw error;
			this.problem = error;
		} finally {
			this.busy = false;
		}
	}
}
