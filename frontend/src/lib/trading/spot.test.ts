import { expect, it } from 'vitest';
import { coinOf } from './spot';

it('counts coins by their name, and contracts by none', () => {
	expect(coinOf({ spot: true, symbol: 'BTC/USDT' })).toBe('BTC');
	expect(coinOf({ spot: false, symbol: 'BTC/USDT:USDT' })).toBe('');
});
