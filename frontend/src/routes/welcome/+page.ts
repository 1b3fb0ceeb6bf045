import { redirect } from '@sveltejs/kit';
import { session } from '$lib/state/session.svelte';

export async function load() {
	if (!(await session.load())) redirect(307, '/signin?next=/welcome');
}
