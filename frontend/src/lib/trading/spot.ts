/** Coins are bought and owned; everything else has a settle currency behind a colon. */
export const isSpot = (symbol: string): boolean => !symbol.includes(':');

/** What a quantity of it is counted in, where that can be said: BTC of BTC/USDT. */
export const coinOf = (symbol: string): string => (isSpot(symbol) ? symbol.split('/')[0] : '');
