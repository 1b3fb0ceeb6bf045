/** What a chart is given. Prices are decimal strings; a time is an ISO string or milliseconds since the epoch. */
export type Candle = readonly [time: number, open: string, high: string, low: string, close: string, volume: string];

export type Tone = 'entry' | 'stop' | 'target' | 'cancel' | 'liquidation' | 'break_even' | 'price';

export interface PlanLine {
	id: string;
	price: string;
	tone: Tone;
	/** What it is: name, distance, money, R. The price itself stands on the axis. */
	label: string;
	/** The label where there is little room. */
	short?: string;
	dashed?: boolean;
}

export interface FillMark {
	fill_id?: string;
	time: string | number;
	price: string;
	quantity: string;
	order_side: 'buy' | 'sell';
	role: string;
	/** Which entry or target, from 0. */
	leg: number;
}

/** Where the stop stood from `time` on. */
export interface StopMove {
	time: string | number;
	price: string;
	kind?: string;
}

export interface LastPrice {
	price: string;
	time: number;
}

export const TIMEFRAMES = {
	'1m': 60_000,
	'5m': 300_000,
	'15m': 900_000,
	'1h': 3_600_000,
	'4h': 14_400_000,
	'1d': 86_400_000
} as const;

export type Timeframe = keyof typeof TIMEFRAMES;

export const timeOf = (time: string | number): number => (typeof time === 'number' ? time : Date.parse(time));
