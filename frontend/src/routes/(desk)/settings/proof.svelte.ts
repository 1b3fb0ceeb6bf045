import { ApiProblem } from '$lib/api/problem';
import { proveIdentity } from '$lib/api/venues';

/**
 * What puts real money at risk needs a fresh sign-in. The password is asked for only when the server wants it, and
 * the same action is then made again.
 */
export class Proof {
	wanted = $state(false);
	password = $state('');
	fault = $state('');

	constructor(private readonly prove: (password: string) => Promise<void> = proveIdentity) {}

	/** Does it, after the password where that is wanted; undefined when the password is still missing or wrong. */
	async before<T>(action: () => Promise<T>): Promise<T | undefined> {
		if (this.wanted && !(await this.#isProved())) return undefined;
		try {
			return await action();
		} catch (error) {
			if (!(error instanceof ApiProblem && error.code === 'sign_in_again')) throw error;
			this.wanted = true;
			return undefined;
		}
	}

	forget(): void {
		this.password = this.fault = '';
		this.wanted = false;
	}

	async #isProved(): Promise<boolean> {
		try {
			await this.prove(this.password);
		} catch (error) {
			if (!(error instanceof ApiProblem)) throw error;
			this.fault = error.cure;
			return false;
		}
		this.forget();
		return true;
	}
}
