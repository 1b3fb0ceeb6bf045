/** The one path from a failed request to the user's eyes: a toast that names the cure. */
import { ApiProblem } from '$lib/api/problem';
import { toast } from '$lib/ui/toast.svelte';

export function tellProblem(error: unknown, what = ''): void {
	if (error instanceof DOMException && error.name === 'AbortError') return;
	if (!(error instanceof ApiProblem)) {
		console.error(error);
		toast.failure(what || 'Something went wrong on this page', 'Reload the page and try again.');
		return;
	}
	toast.failure(what || error.title, error.cure);
}
