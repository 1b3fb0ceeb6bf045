import type { Trade } from '$lib/api/types';

export interface Protection {
	tone: 'good' | 'wait' | 'bad' | 'none';
	sign: string;
	words: string;
}

const STATES: Record<string, Protection> = {
	protected: { tone: 'good', sign: '●', words: 'protected' },
	attached: { tone: 'good', sign: '●', words: 'stop travels with the entry' },
	waiting: { tone: 'wait', sign: '◐', words: 'stop being placed' },
	naked: { tone: 'bad', sign: '▲', words: 'NOT protected' },
	unwatched: { tone: 'bad', sign: '▲', words: 'NOT watched' }
};

/** The badge; null while there is nothing to protect. With hands off, a missing stop is the trader's own affair: said so. */
export function protectionWords(trade: Pick<Trade, 'protected' | 'hands_off' | 'status'>): Protection | null {
	const state = trade.protected?.state ?? 'flat';
	if (trade.hands_off && state !== 'protected') return { tone: 'wait', sign: '✋', words: 'hands off: not managed' };
	if (trade.status === 'pending' && (state === 'flat' || state === 'waiting')) {
		return { tone: 'none', sign: '○', words: 'stop follows the entry' };
	}
	return STATES[state] ?? null;
}
