/** The one path from a failed request to the user's eyes: a toast that names the cure. */
import { goto } from '$app/navigation';
import { ApiProblem } from '$lib/api/problem';
import { toast } from '$lib/ui/toast.svelte';

export function tellProblem(error: unknown, what = ''): void {
	if (error instanceof DOMException && error.name === 'AbortError') return;
	if (!(error instanceof ApiProblem)) {
		console.error(error);
		toast.failure(what || 'Something went wrong on this page', 'Reload the page and try again.');
		return;
	}
	if (error.status === 401) return signInAgain();
	toast.failure(what || error.title, error.cure);
}

/** The session ended elsewhere: sign in, and come back to this very page. */
export function signInAgain(): void {
	toast.notice('Please sign in again', 'Your session has ended.');
	goto(`/signin?next=${encodeURIComponent(location.pathname + location.search)}`);
}
