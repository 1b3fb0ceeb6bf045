/** The user's exchange accounts, and the one the desk is looking at. */
import { getAccount, listAccounts } from '$lib/api/accounts';
import { ApiProblem } from '$lib/api/problem';
import type { Account } from '$lib/api/types';

const CHOSEN = 'account';

class Accounts {
	#all = $state.raw<Account[]>([]);
	#chosen = $state<number | null>(remembered());
	loaded = $state(false);

	get all(): Account[] {
		return this.#all;
	}

	/** The chosen account, else the main one, else the first; null when there is none. */
	get current(): Account | null {
		const [first = null] = this.#all;
		return this.#all.find((one) => one.id === this.#chosen) ?? this.#all.find((one) => one.is_main) ?? first;
	}

	async load(): Promise<void> {
		this.#all = (await listAccounts()).results;
		this.loaded = true;
	}

	/** Reads one account again, and puts it in place; an archived one disappears. */
	async refresh(id: number): Promise<void> {
		try {
			this.put(await getAccount(id));
		} catch (error) {
			if (!(error instanceof ApiProblem && error.status === 404)) throw error;
			this.drop(id);
		}
	}

	put(account: Account): void {
		const known = this.#all.some((one) => one.id === account.id);
		const others = this.#all.map((one) => (account.is_main ? { ...one, is_main: false } : one));
		this.#all = known ? others.map((one) => (one.id === account.id ? account : one)) : [...others, account];
	}

	drop(id: number): void {
		this.#all = this.#all.filter((one) => one.id !== id);
	}

	choose(id: number): void {
		this.#chosen = id;
		try {
			localStorage.setItem(CHOSEN, String(id));
		} catch {
			// Storage may be switched off: the choice then lasts as long as the page.
		}
	}

	/** Another user may sign in on this page. */
	forget(): void {
		this.#all = [];
		this.loaded = false;
	}
}

function remembered(): number | null {
	try {
		return Number(localStorage.getItem(CHOSEN)) || null;
	} catch {
		return null;
	}
}

export const accounts = new Accounts();
