import { ApiProblem } from '$lib/api/problem';

/** One question to the server and what came of it, for a page to show: waiting, answered, or a problem. */
export class Answer<T> {
	value = $state.raw<T | null>(null);
	problem = $state.raw<ApiProblem | null>(null);
	waiting = $state(true);
	#asking: AbortController | null = null;

	/** Asks; an older question still under way is dropped, so that answers never arrive out of order. */
	async ask(question: (signal: AbortSignal) => Promise<T>): Promise<void> {
		this.#asking?.abort();
		const asking = (this.#asking = new AbortController());
		this.waiting = true;
		try {
			const value = await question(asking.signal);
			if (asking.signal.aborted) return;
			[this.value, this.problem] = [value, null];
		} catch (error) {
			if (asking.signal.aborted) return;
			this.problem = error instanceof ApiProblem ? error : ApiProblem.broken(error);
		}
		this.waiting = false;
	}

	/** Forgets the answer, so that the next one is waited for with an empty page. */
	clear(): void {
		this.#asking?.abort();
		[this.value, this.problem, this.waiting] = [null, null, true];
	}
}
