/** Who is signed in, and how they like to see things. */
import { signOut } from '$lib/api/auth';
import { changeMe, getMe } from '$lib/api/me';
import { ApiProblem } from '$lib/api/problem';
import type { Me, Theme } from '$lib/api/types';
import { useTimeZone } from '$lib/format';
import { showTheme } from './theme';

class Session {
	#user = $state.raw<Me | null>(null);

	get user(): Me | null {
		return this.#user;
	}

	/** Asks the server once; null when nobody is signed in. */
	async load(): Promise<Me | null> {
		try {
			return this.#user ?? this.#adopt(await getMe());
		} catch (error) {
			if (error instanceof ApiProblem && (error.status === 401 || error.status === 403)) return null;
			throw error;
		}
	}

	/** Reads the user again, after something that changes them (a first account, say). */
	async refresh(): Promise<void> {
		this.#adopt(await getMe());
	}

	async change(changes: { theme?: Theme; time_zone?: string }): Promise<void> {
		if (changes.theme) showTheme(changes.theme);
		this.#adopt(await changeMe(changes));
	}

	async end(): Promise<void> {
		await signOut();
		this.forget();
	}

	/** Nobody is signed in any more, as far as this page knows. */
	forget(): void {
		this.#user = null;
	}

	#adopt(user: Me): Me {
		useTimeZone(user.time_zone);
		showTheme(user.theme);
		return (this.#user = user);
	}
}

export const session = new Session();
