import type { Trade } from '$lib/api/types';

/** What a quantity is counted in, where that can be said: BTC of BTC/USDT; nothing of contracts. */
export const coinOf = ({ spot, symbol }: Pick<Trade, 'spot' | 'symbol'>): string => (spot ? symbol.split('/')[0] : '');
