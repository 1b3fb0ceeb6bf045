import { redirect } from '@sveltejs/kit';
import { accounts } from '$lib/state/accounts.svelte';
import { session } from '$lib/state/session.svelte';

/** Everything on the desk needs a user, and all but the welcome needs an account. */
export async function load({ url }) {
	const user = await session.load();
	if (!user) redirect(307, `/signin?next=${encodeURIComponent(url.pathname + url.search)}`);
	if (!accounts.loaded) await accounts.load();
	if (!accounts.current && !url.pathname.startsWith('/settings')) redirect(307, '/welcome');
}
