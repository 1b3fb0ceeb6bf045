import { expect, it } from 'vitest';
import { coinOf, isSpot } from './spot';

it('tells coins from contracts by their name', () => {
	expect([isSpot('BTC/USDT'), isSpot('BTC/USDT:USDT')]).toEqual([true, false]);
	expect([coinOf('BTC/USDT'), coinOf('BTC/USDT:USDT')]).toEqual(['BTC', '']);
});
