import type { HandleClientError } from '@sveltejs/kit';
import { ApiProblem } from '$lib/api/problem';

/** What a page that could not load says: the server's own words where there are any. */
export const handleError: HandleClientError = ({ error, status, message }) => {
	if (error instanceof ApiProblem) return { message: error.title, cure: error.cure };
	if (status === 404) return { message: 'There is nothing at this address', cure: 'It may have moved.' };
	console.error(error);
	return { message: message || 'Something went wrong on this page', cure: 'Reload the page and try again.' };
};
