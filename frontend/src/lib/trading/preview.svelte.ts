/** Asks the server what a plan would do, a moment after the last edit; only the answer to the newest plan counts. */
export type Ask<Plan, Answer> = (plan: Plan, signal: AbortSignal) => Promise<Answer>;

export class PlanPreviewer<Plan, Answer> {
	/** The latest answer; it stays on screen while the next one is under way. */
	answer = $state.raw<Answer>();
	/** Why the last question got no answer. */
	trouble = $state.raw<unknown>();
	#asked = $state.raw('');
	#answered = $state.raw('');
	/** True while what is on screen is not about the plan as it stands. */
	isStale = $derived(this.#asked !== this.#answered);

	#plan: Plan | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;
	#request: AbortController | undefined;
	#flight: Promise<void> | undefined;

	constructor(
		private readonly ask: Ask<Plan, Answer>,
		private readonly pause = 200
	) {}

	/** The plan changed (or, with `again`, the account did). */
	show(plan: Plan, again = false): void {
		const words = JSON.stringify(plan);
		if (words === this.#asked && !again && !this.trouble) return;
		this.#asked = words;
		this.#plan = plan;
		if (again) this.#answered = '';
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => (this.#flight = this.#send()), this.pause);
	}

	/** Nothing to ask about any more. */
	clear(): void {
		clearTimeout(this.#timer);
		this.#request?.abort();
		this.#plan = undefined;
		this.#asked = this.#answered = '';
		this.answer = this.trouble = undefined;
	}

	/** The answer about the plan as it stands now, asked at once when still pending; undefined when there is none. */
	async settled(): Promise<Answer | undefined> {
		if (this.#timer !== undefined && this.isStale) {
			clearTimeout(this.#timer);
			this.#flight = this.#send();
		}
		await this.#flight;
		return this.isStale ? undefined : this.answer;
	}

	async #send(): Promise<void> {
		const [plan, words] = [this.#plan, this.#asked];
		this.#timer = undefined;
		this.#request?.abort();
		if (plan === undefined) return;
		const request = (this.#request = new AbortController());
		try {
			const answer = await this.ask(plan, request.signal);
			if (words !== this.#asked || request.signal.aborted) return;
			this.answer = answer;
			this.#answered = words;
			this.trouble = undefined;
		} catch (trouble) {
			if (!request.signal.aborted) this.trouble = trouble;
		}
	}
}
