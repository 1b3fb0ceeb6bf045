import { redirect } from '@sveltejs/kit';
import { browserTimeZone } from '$lib/format';
import { session } from '$lib/state/session.svelte';

export async function load() {
	const user = await session.load();
	if (!user) redirect(307, '/signin?next=/welcome');
	// A newcomer starts dark, and in the time zone of the browser; both can be changed in Settings.
	if (!user.has_account) await session.change({ theme: 'dark', time_zone: browserTimeZone() }).catch(() => {});
}
