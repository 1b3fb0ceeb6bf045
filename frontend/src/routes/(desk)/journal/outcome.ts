import type { TradeSummary } from '$lib/api/types';
import { signOf } from '$lib/format';

export const EXITS: Record<string, string> = {
	take_profit: 'Took profit',
	stop_loss: 'Stopped out',
	break_even: 'Stopped at break-even',
	trailing_stop: 'Trailed out',
	manual: 'Closed by hand',
	time: 'Closed after its time',
	signal: 'Closed by a signal',
	halt: 'Closed by a halt',
	unprotected: 'Closed: no stop could be live',
	liquidation: 'Liquidated',
	external: 'Closed on the exchange',
	by_word: 'Ended by your word'
};
const WITHDRAWALS: Record<string, string> = {
	missed: 'Missed: it ran to the target first',
	invalidated: 'Invalidated: it broke first',
	expired: 'Withdrawn: its time was up',
	manual: 'Withdrawn by hand',
	rejected: 'Rejected by the exchange',
	stale: 'Withdrawn: it could not be sent in time'
};

const plain = (word: string) => word.replaceAll('_', ' ').replace(/^./, (first) => first.toUpperCase());

/** How a trade ended, in words. */
export function endOf(trade: Pick<TradeSummary, 'exit_reason' | 'status'> & { withdrawal: string }): string {
	if (trade.exit_reason) return EXITS[trade.exit_reason] ?? plain(trade.exit_reason);
	if (trade.withdrawal) return WITHDRAWALS[trade.withdrawal] ?? plain(trade.withdrawal);
	return plain(trade.status);
}

export function toneOf(amount: string | null): string {
	return ['text-loss', 'text-muted', 'text-gain'][signOf(amount) + 1];
}
