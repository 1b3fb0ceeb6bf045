import { request } from './http';
import type { Page, PlanDocument, Preview, Rehearsal, Trade, TradeEvent, TradeStory } from './types';

type Plan = PlanDocument | object;

export const previewPlan = (account: number, plan: Plan, signal?: AbortSignal) =>
	request<Preview>('POST', '/plans/preview', { body: { account, plan }, signal });
export const rehearsePlan = (account: number, plan: Plan, timeframe: string, minutes: number, signal?: AbortSignal) =>
	request<Rehearsal>('POST', '/plans/rehearse', { body: { account, plan, timeframe, minutes }, signal });

export interface TradeFilter {
	account?: number;
	/** One status or several, separated by commas. */
	status?: string;
	cursor?: string;
	limit?: number;
}

export const listTrades = (filter: TradeFilter = {}, signal?: AbortSignal) =>
	request<Page<Trade>>('GET', '/trades', { query: { ...filter }, signal });
export const getTrade = (id: number, signal?: AbortSignal) => request<TradeStory>('GET', `/trades/${id}`, { signal });

/* Whatever can place an order carries the key of its intention (see intention.ts). */
export const openTrade = (account: number, plan: Plan, key: string) =>
	request<Trade>('POST', '/trades', { body: { account, plan }, key });
export const amendPlan = (id: number, plan: Plan, key: string) =>
	request<Trade>('PATCH', `/trades/${id}/plan`, { body: { plan }, key });
export const closeTrade = (id: number, share: string, key: string) =>
	request<Trade>('POST', `/trades/${id}/close`, { body: { share }, key });
export const breakEven = (id: number, key: string) => request<Trade>('POST', `/trades/${id}/break-even`, { key });
export const cancelTrade = (id: number, key: string) => request<Trade>('POST', `/trades/${id}/cancel`, { key });
export const endByWord = (id: number, ending: { price: string | null; sentence: string }, key: string) =>
	request<Trade>('POST', `/trades/${id}/end-by-word`, { body: ending, key });
export const handsOff = (id: number, on: boolean) =>
	request<Trade>('POST', `/trades/${id}/hands-off`, { body: { on } });

export interface EventFilter {
	account?: number;
	trade?: number;
	cursor?: string;
	limit?: number;
}
export const listEvents = (filter: EventFilter = {}, signal?: AbortSignal) =>
	request<Page<TradeEvent>>('GET', '/events', { query: { ...filter }, signal });
