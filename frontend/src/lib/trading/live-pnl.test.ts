import { describe, expect, it } from 'vitest';
import { livePnl, type Holding } from './live-pnl';

const linear = { contract_size: '1', linear: true };
const long: Holding = { side: 'long', held: '0.05', average_entry: '64000', net: '10', initial_risk: '100' };

describe('live PnL', () => {
	it('is what the rest would make plus what is already realised', () => {
		expect(livePnl(long, linear, '64200')).toEqual({ unrealised: '10', total: '20', r: '0.2' });
	});
	it('of a short gains when the price falls', () => {
		expect(livePnl({ ...long, side: 'short' }, linear, '64200')?.unrealised).toBe('-10');
		expect(livePnl({ ...long, side: 'short' }, linear, '63800')?.unrealised).toBe('10');
	});
	it('counts the contract size', () => {
		expect(livePnl(long, { contract_size: '0.001', linear: true }, '74000')?.unrealised).toBe('0.5');
	});
	it('of an inverse contract is in the coin', () => {
		const holding: Holding = { side: 'long', held: '100', average_entry: '50', net: '0', initial_risk: null };
		expect(livePnl(holding, { contract_size: '10', linear: false }, '100')).toEqual({
			unrealised: '10',
			total: '10',
			r: null
		});
	});
	it('is unknown before an entry, without a price, and when flat', () => {
		expect(livePnl({ ...long, average_entry: null }, linear, '64200')).toBeNull();
		expect(livePnl({ ...long, held: '0' }, linear, '64200')).toBeNull();
		expect(livePnl(long, linear, '')).toBeNull();
	});
});
