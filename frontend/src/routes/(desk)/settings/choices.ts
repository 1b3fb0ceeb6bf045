/** How many seconds of the recording pass in one second. */
export const SPEEDS = [
	{ value: '1', label: '×1, as it happened' },
	{ value: '10', label: '×10' },
	{ value: '60', label: '×60, a minute a second' },
	{ value: '300', label: '×300' },
	{ value: '3600', label: '×3600, an hour a second' },
	{ value: 'max', label: 'As fast as possible' }
];

/** Where several kinds of markets stand side by side, each says which it is. */
export const marketName = ({ name, spot }: { name: string; spot: boolean }): string =>
	spot ? name : `${name} perpetuals`;

/** Whose fees and rules a market plays by that is no venue's: made up, or recorded. */
export const MARKETS = [
	{ id: 'binance', name: 'Perpetuals', spot: false, settle: 'USDT' },
	{ id: 'binance-spot', name: 'Spot, by Binance’s rules', spot: true, settle: 'USDT' },
	{ id: 'kraken-spot', name: 'Spot, by Kraken’s rules', spot: true, settle: 'USDT' }
];

/** In percent, of whoever has not traded much yet. */
interface Fees {
	maker: string;
	taker: string;
}
const FEES: Record<string, Fees> = {
	'binance-spot': { maker: '0.1', taker: '0.1' },
	'kraken-spot': { maker: '0.25', taker: '0.4' }
};
const OF_PERPETUALS: Fees = { maker: '0.02', taker: '0.05' };
export const usualFees = (venue: string): Fees => FEES[venue] ?? OF_PERPETUALS;
