import { listJournal } from '$lib/api/journal';
import { ApiProblem } from '$lib/api/problem';
import type { JournalFilter, JournalRow, Page } from '$lib/api/types';
import { Answer } from '$lib/answer.svelte';
import { tellProblem } from '$lib/tell';

/** The rows for one filter, page after page. */
export class JournalList {
	answer = new Answer<Page<JournalRow>>();
	loadingMore = $state(false);
	#filter: JournalFilter = {};

	get rows(): JournalRow[] | null {
		return this.answer.value?.results ?? null;
	}
	get hasMore(): boolean {
		return Boolean(this.answer.value?.next);
	}
	get problem(): ApiProblem | null {
		return this.answer.problem;
	}

	show(filter: JournalFilter): Promise<void> {
		this.#filter = filter;
		return this.answer.ask((signal) => listJournal(filter, null, signal));
	}

	again(): Promise<void> {
		return this.show(this.#filter);
	}

	async more(): Promise<void> {
		const [filter, shown] = [this.#filter, this.answer.value];
		if (!shown?.next || this.loadingMore) return;
		this.loadingMore = true;
		try {
			const page = await listJournal(filter, shown.next);
			// Another filter may have been chosen meanwhile.
			if (this.answer.value === shown)
				this.answer.value = { ...page, results: [...shown.results, ...page.results] };
		} catch (error) {
			tellProblem(error, 'The next trades were not loaded');
		} finally {
			this.loadingMore = false;
		}
	}
}
