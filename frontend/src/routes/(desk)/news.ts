import type { TradeEvent } from '$lib/api/types';
import { sentence } from '$lib/format';
import { toast } from '$lib/ui/toast.svelte';

/** Events worth a message wherever the trader is looking; the rest is in the timeline. */
const GOOD = new Set([
	'entry_filled',
	'target_filled',
	'trade_closed',
	'protection_restored',
	'watched_again',
	'seen_again',
	'covered_again'
]);
const PLAIN = new Set(['stop_moved', 'entry_withdrawn', 'notice', 'venue_says']);
/** What stays at the head of every page until it is cured need not cover its foot as well. */
const AT_THE_HEAD = new Set(['key_expires', 'key_refused', 'key_can_withdraw']);
const BAD = new Set([
	'order_rejected',
	'protection_lost',
	'unwatched',
	'account_halted',
	'trade_reopened',
	'unseen',
	'uncovered',
	'order_unproven',
	'order_proof_filled'
]);

export function tellNews(event: TradeEvent): void {
	const text = sentence(event.text);
	if (GOOD.has(event.kind)) toast.success(text);
	else if (PLAIN.has(event.kind) || AT_THE_HEAD.has(event.kind)) toast.notice(text);
	else if (BAD.has(event.kind)) toast.failure(text, String(event.data.cure ?? ''));
}
