import { request } from './http';
import type { Breakdown, BreakdownBy, CalendarMonth, EquityCurve, StatsFilter, Summary } from './types';

export const getSummary = (filter: StatsFilter, signal?: AbortSignal) =>
	request<Summary>('GET', '/stats/summary', { query: { ...filter }, signal });
export const getCalendar = (year: number, month: number, account?: number, signal?: AbortSignal) =>
	request<CalendarMonth>('GET', '/stats/calendar', { query: { year, month, account }, signal });
export const getEquity = (filter: StatsFilter, signal?: AbortSignal) =>
	request<EquityCurve>('GET', '/stats/equity', { query: { ...filter }, signal });
export const getBreakdown = (by: BreakdownBy, filter: StatsFilter, signal?: AbortSignal) =>
	request<Breakdown>('GET', '/stats/breakdown', { query: { by, ...filter }, signal });
