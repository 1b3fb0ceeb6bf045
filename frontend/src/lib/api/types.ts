/**
 * The shapes of the HTTP contract under the names the desk uses. They are generated from the server's own description
 * (`make api` writes schema.d.ts); by hand stands only what that cannot say. Decimals are strings, times ISO 8601 UTC.
 */
import type { components } from './schema';

type Schemas = components['schemas'];

export interface Page<T> {
	results: T[];
	next: string | null;
}

export type Theme = Schemas['ThemeEnum'];
export type Side = Schemas['SideEnum'];
export type OrderSide = Schemas['OrderSideEnum'];
export type PriceSource = Schemas['PriceSourceEnum'];
export type TradingState = Schemas['AccountStateEnum'];
export type TradeStatus = Schemas['TradeStatusEnum'];
export type Timeframe = Schemas['TimeframeEnum'];
export type Unit = Schemas['UnitEnum'];

export type Me = Required<Schemas['Me']>;
export type Account = Schemas['Account'];
export type Mode = Schemas['ModeEnum'];
export type Connection = Schemas['Connection'];
export type Key = Schemas['Key'];
export type Venue = Schemas['Venue'];
export type Venues = Schemas['VenueList'];
export type NewAccount = Schemas['NewAccountRequest'];
export type NewKey = Schemas['NewKeyRequest'];
export type Resumption = Partial<Schemas['ResumeRequest']>;
export type AccountChanges = Schemas['PatchedChangesRequest'];
export type Replay = Schemas['Recording'];

export type Instrument = Schemas['Instrument'];
export type Quote = Schemas['Quote'];
/** Opening time in milliseconds, then open, high, low, close and volume. */
export type Candle = [time: number, open: string, high: string, low: string, close: string, volume: string];
export type Candles = Omit<Schemas['Candles'], 'candles'> & { candles: Candle[] };

export type PlanDocument = Schemas['PlanDocument'];
export type Fault = Schemas['Fault'];
export type Denial = Schemas['Denial'];
export type Possible = Schemas['Possible'];
export type Preview = Schemas['Preview'];
export type Rehearsal = Schemas['Rehearsal'];
export type RehearsalRow = Schemas['RehearsalFill'];

export type Rung = Schemas['Rung'];
export type Stop = Schemas['Stop'];
export type Protected = Schemas['Protected'];
export type Trade = Schemas['Trade'];
export type TradeStory = Schemas['TradeDetail'];
export type TradeOrder = Schemas['Order'];
export type TradeFill = Schemas['Fill'];
export type ForeignPosition = Schemas['ForeignPosition'];
export type Adoption = Schemas['AdoptionRequest'];
export type TradeEvent = Schemas['TradeEvent'];

/** A setup or a tag. */
export type Label = Schemas['Setup'];
export type TradeSummary = Schemas['TradeSummary'];
export type Screenshot = Schemas['Screenshot'];
export type JournalRow = Schemas['JournalRow'];
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

export type Figure = Schemas['Figure'];
export type FigureName = keyof Schemas['Figures'];
export interface StatsFilter {
	account?: number;
	from?: string;
	to?: string;
	symbol?: string;
	side?: string;
}
export type Summary = Schemas['Summary'];
export type CalendarDay = Schemas['CalendarDay'];
export type CalendarMonth = Schemas['Calendar'];
export type EquityPoint = Schemas['EquityPoint'];
export type EquityCurve = Schemas['Equity'];
export type BreakdownBy = 'symbol' | 'side' | 'setup' | 'tag' | 'exit_reason';
export type BreakdownRow = Schemas['Cell'];
export type Breakdown = Schemas['Breakdown'];
export type Health = Schemas['Health'];
