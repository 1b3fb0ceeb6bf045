import { listForeign } from '$lib/api/foreign';
import { ApiProblem } from '$lib/api/problem';
import type { ForeignPosition } from '$lib/api/types';
import { live } from '$lib/state/live.svelte';

/** Positions at the venue that are nobody's here, read again whenever the account changes. */
export class ForeignPositions {
	/** Null while it is not known. */
	all = $state.raw<ForeignPosition[] | null>(null);
	trouble = $state.raw<ApiProblem | null>(null);
	#reading: AbortController | undefined;

	constructor(private readonly account: number) {}

	follow(): () => void {
		void this.load();
		const endings = [
			live.on('account', ({ account }) => account === this.account && void this.load()),
			live.on('hello', () => this.all && void this.load())
		];
		return () => {
			for (const end of endings) end();
			this.#reading?.abort();
		};
	}

	load = async (): Promise<void> => {
		this.#reading?.abort();
		const reading = (this.#reading = new AbortController());
		try {
			this.all = (await listForeign(this.account, reading.signal)).results;
			this.trouble = null;
		} catch (trouble) {
			if (!reading.signal.aborted)
				this.trouble = trouble instanceof ApiProblem ? trouble : ApiProblem.broken(trouble);
		}
	};

	put(position: ForeignPosition): void {
		this.all = (this.all ?? []).map((one) => (one.id === position.id ? position : one));
	}

	drop(position: ForeignPosition): void {
		this.all = (this.all ?? []).filter((one) => one.id !== position.id);
	}
}
