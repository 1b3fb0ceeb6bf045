import { request } from './http';
import type { Candles, Instrument, Page, Quote, Timeframe } from './types';

export interface CandleQuery {
	account: number;
	symbol: string;
	timeframe: Timeframe | string;
	from?: string;
	to?: string;
	limit?: number;
}

export const listInstruments = (account: number, q = '', signal?: AbortSignal) =>
	request<Page<Instrument>>('GET', '/instruments', { query: { account, q }, signal });
export const getCandles = (query: CandleQuery, signal?: AbortSignal) =>
	request<Candles>('GET', '/instruments/candles', { query: { ...query }, signal });
export const getQuote = (account: number, symbol: string, signal?: AbortSignal) =>
	request<Quote>('GET', '/instruments/quote', { query: { account, symbol }, signal });
