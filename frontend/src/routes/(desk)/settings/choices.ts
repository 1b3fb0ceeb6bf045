/** How many seconds of the recording pass in one second. */
export const SPEEDS = [
	{ value: '1', label: '×1, as it happened' },
	{ value: '10', label: '×10' },
	{ value: '60', label: '×60, a minute a second' },
	{ value: '300', label: '×300' },
	{ value: '3600', label: '×3600, an hour a second' },
	{ value: 'max', label: 'As fast as possible' }
];

export const VENUES = [
	{ value: 'binance', label: 'Binance' },
	{ value: 'bingx', label: 'BingX' },
	{ value: 'bybit', label: 'Bybit' }
];
