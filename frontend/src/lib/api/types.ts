/** The shapes of the HTTP contract. Decimals are strings, times ISO 8601 in UTC. */

export interface Page<T> {
	results: T[];
	next: string | null;
}

export type Theme = 'dark' | 'light' | 'system';
export type Side = 'long' | 'short';
export type OrderSide = 'buy' | 'sell';
export type PriceSource = 'simulated' | 'replay' | 'live';
export type TradingState = 'active' | 'reducing' | 'halted';
export type TradeStatus = 'pending' | 'open' | 'closed' | 'cancelled';

export interface Me {
	id: number;
	email: string;
	time_zone: string;
	theme: Theme;
	has_account: boolean;
}

export interface Connection {
	state: 'ok' | 'waiting' | 'never';
	trouble: string;
	looked_at: string | null;
	good_look_at: string | null;
}

export interface Account {
	id: number;
	name: string;
	mode: string;
	venue: string;
	state: TradingState;
	is_main: boolean;
	currency: string;
	opening_balance: string;
	maker_fee: string;
	taker_fee: string;
	slippage: string;
	max_leverage: number;
	max_risk_percent: string;
	max_open_risk_percent: string;
	max_open_trades: number;
	price_source: PriceSource;
	seed: number;
	replay_file: string;
	replay_speed: string;
	clock: string | null;
	replay_ends: string | null;
	equity: string | null;
	free: string | null;
	open_risk: string | null;
	open_trades: number;
	label: string;
	connection: Connection;
	created_at: string;
}

export interface NewAccount {
	name: string;
	price_source: PriceSource;
	opening_balance?: string;
	venue?: string;
	maker_fee?: string;
	taker_fee?: string;
	slippage?: string;
	seed?: number;
	replay_file?: string;
	replay_speed?: string;
	replay_start?: string;
	max_leverage?: number;
	max_risk_percent?: string;
	max_open_risk_percent?: string;
	max_open_trades?: number;
}

export type AccountChanges = Partial<
	Pick<
		NewAccount,
		| 'name'
		| 'maker_fee'
		| 'taker_fee'
		| 'slippage'
		| 'replay_speed'
		| 'max_leverage'
		| 'max_risk_percent'
		| 'max_open_risk_percent'
		| 'max_open_trades'
	>
>;

export interface Replay {
	file: string;
	symbol: string;
	timeframe: string;
	from: string;
	to: string;
	candles: number;
}

export interface Instrument {
	symbol: string;
	base: string;
	quote: string;
	settle: string;
	tick_size: string;
	lot_size: string;
	min_quantity: string;
	min_notional: string;
	contract_size: string;
	linear: boolean;
	spot: boolean;
	max_leverage: number | string;
	maker_fee: string;
	taker_fee: string;
	price: string | null;
	change_24h: string | null;
}

export type Timeframe = '1m' | '5m' | '15m' | '1h' | '4h' | '1d';
/** Opening time in milliseconds, then open, high, low, close and volume. */
export type Candle = [time: number, open: string, high: string, low: string, close: string, volume: string];

export interface Candles {
	symbol: string;
	timeframe: string;
	candles: Candle[];
	source: PriceSource;
	complete: boolean;
}

export interface Quote {
	symbol: string;
	last: string;
	mark: string;
	time: string | number;
}

/** The plan document is one shape everywhere; the ticket owns its details. */
export type PlanDocument = Record<string, unknown>;

export interface Fault {
	field: string;
	message: string;
	cure: string;
	code: string;
}

export interface Denial {
	code: string;
	message: string;
	cure: string;
}

export interface Possible {
	risk: string;
	percent: string;
	quantity: string;
	notional: string;
	margin: string;
	leverage: string;
	max_leverage: string;
	leverage_chosen: boolean;
	average_entry: string;
	loss_at_stop: string;
	entry_fee: string;
	exit_fee: string;
	slippage: string;
	liquidation_price: string | null;
	capped_by: 'margin' | 'max_quantity' | 'leverage' | null;
}

export interface Preview {
	side: Side | null;
	faults: Fault[];
	denials: Denial[];
	price: string | null;
	asked: { risk: string; percent: string } | null;
	possible: Possible | null;
	entries: { price: string; quantity: string; fee: string }[];
	targets: {
		price: string;
		quantity: string;
		share: string;
		distance_percent: string;
		gross: string;
		net: string;
		r: string;
	}[];
	rr: string | null;
	best_case: string | null;
	break_even_price: string | null;
	stop_distance_percent: string | null;
	capital: { equity: string; free: string };
	protection: string;
}

export interface RehearsalRow {
	time: string | number;
	price: string;
	quantity: string;
	reason: string;
	order: number | string | null;
}

export interface Rehearsal {
	entries: RehearsalRow[];
	exits: RehearsalRow[];
	fees: string;
	funding: string;
	gross: string;
	net: string;
	initial_risk: string;
	r: string | null;
	ambiguous_candles: number;
	open_quantity: string;
}

export interface Rung {
	role: 'entry' | 'take_profit';
	leg: number;
	price: string | null;
	quantity: string;
	filled: string;
	status: 'waiting' | 'open' | 'partial' | 'filled' | 'cancelled';
}

export interface Stop {
	price: string;
	kind: 'first' | 'break_even' | 'step' | 'trailing' | 'manual';
	order_status: string;
}

export interface Protected {
	state: 'protected' | 'attached' | 'waiting' | 'naked' | 'flat';
	since: string | null;
	checked_at: string | null;
	by: string | null;
}

export interface Trade {
	id: number;
	account: number;
	symbol: string;
	side: Side;
	status: TradeStatus;
	source: string;
	plan: PlanDocument;
	plan_version: number;
	hands_off: boolean;
	withdrawal: string;
	leverage: string;
	margin_mode: string;
	quantity: string;
	held: string;
	entered: string;
	average_entry: string | null;
	average_exit: string | null;
	asked_risk: string;
	initial_risk: string | null;
	stop: Stop | null;
	protected: Protected | null;
	ladder: Rung[];
	next: { price: string; kind: string } | null;
	gross: string | null;
	fees: string | null;
	funding: string | null;
	net: string | null;
	r: string | null;
	unrealised: string | null;
	open_r: string | null;
	price: string | null;
	exit_reason: string;
	created_at: string;
	opened_at: string | null;
	closed_at: string | null;
	replay: boolean;
	simulated: boolean;
}

export interface TradeOrder {
	client_id: string;
	role: 'entry' | 'stop' | 'take_profit' | 'close';
	leg: number;
	order_side: OrderSide;
	kind: string;
	quantity: string;
	price: string | null;
	trigger: string | null;
	status: string;
	filled: string;
	reason: string;
	cancel_reason: string;
	refusal: string;
	created_at: string;
	placed_at: string | null;
	closed_at: string | null;
}

export interface TradeFill {
	fill_id: string;
	role: 'entry' | 'stop' | 'take_profit' | 'close';
	leg: number;
	order_side: OrderSide;
	price: string;
	quantity: string;
	fee: string;
	liquidity: string;
	time: string;
}

export interface TradeEvent {
	id: number;
	kind: string;
	text: string;
	data: Record<string, unknown>;
	trade: number | null;
	account: number | null;
	time: string;
	created_at: string;
}

export interface TradeStory extends Trade {
	orders: TradeOrder[];
	fills: TradeFill[];
	events: TradeEvent[];
	funding_rows: { amount: string; time: string }[];
	first_plan: PlanDocument;
}

export interface Label {
	id: number;
	name: string;
}

export type TradeSummary = Pick<
	Trade,
	| 'id'
	| 'account'
	| 'symbol'
	| 'side'
	| 'status'
	| 'opened_at'
	| 'closed_at'
	| 'average_entry'
	| 'average_exit'
	| 'entered'
	| 'net'
	| 'r'
	| 'fees'
	| 'funding'
	| 'gross'
	| 'exit_reason'
	| 'withdrawal'
	| 'simulated'
>;

export interface Screenshot {
	url: string;
	width: number;
	height: number;
}

export interface JournalRow {
	trade: TradeSummary;
	notes: string;
	setup: Label | null;
	tags: Label[];
	screenshot: Screenshot | null;
}

export interface JournalFilter {
	account?: number;
	symbol?: string;
	side?: string;
	setup?: string;
	tag?: string;
	result?: string;
	from?: string;
	to?: string;
	q?: string;
	status?: string;
}

export type Unit = 'money' | 'r' | 'percent' | 'ratio' | 'count' | 'hours';

export interface Figure {
	value: string | null;
	n: number;
	unit: Unit;
	formula: string;
}

export interface StatsFilter {
	account?: number;
	from?: string;
	to?: string;
	symbol?: string;
	side?: string;
}

export interface Summary {
	currency: string;
	trades: number;
	figures: Record<string, Figure>;
}

export interface CalendarDay {
	date: string;
	net: string;
	r: string;
	trades: number;
	wins: number;
}

export interface CalendarMonth {
	year: number;
	month: number;
	time_zone: string;
	days: CalendarDay[];
	net: string;
	r: string;
	trades: number;
}

export interface EquityPoint {
	time: string;
	equity: string;
	net: string;
	r: string;
	cumulative_r: string;
	drawdown: string;
	trade: number;
}

export interface EquityCurve {
	opening: string;
	points: EquityPoint[];
}

export type BreakdownBy = 'symbol' | 'side' | 'setup' | 'tag' | 'exit_reason';

export interface BreakdownRow {
	key: string;
	label: string;
	n: number;
	win_rate: Figure;
	mean_r: Figure;
	profit_factor: Figure;
	total_r: Figure;
	net: Figure;
}

export interface Breakdown {
	by: BreakdownBy;
	rows: BreakdownRow[];
}
