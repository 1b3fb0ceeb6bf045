import type { JournalFilter } from '$lib/api/types';

/** The filters of the journal live in the address, so that a view can be kept as a bookmark and sent to nobody. */
export const FIELDS = ['q', 'result', 'side', 'symbol', 'setup', 'tag', 'status', 'from', 'to'] as const;
export type Field = (typeof FIELDS)[number];

export const RESULTS = { win: 'Wins', loss: 'Losses', scratch: 'Scratches' };
export const SIDES = { long: 'Long', short: 'Short' };
export const STATUSES = { cancelled: 'Never entered', all: 'Closed and never entered' };

export const isOneDay = (search: URLSearchParams): boolean =>
	search.has('from') && search.get('from') === search.get('to');

/** The question to the server. All accounts are meant only when the address says so. */
export function filterOf(search: URLSearchParams, current: number | undefined): JournalFilter {
	const filter: JournalFilter = search.get('account') === 'all' ? {} : { account: current };
	for (const field of FIELDS) {
		const value = search.get(field);
		if (value) filter[field] = value;
	}
	return filter;
}

/** The same address with one filter changed; an empty value takes it away. */
export function withFilter(search: URLSearchParams, changes: Partial<Record<Field | 'account', string>>): string {
	const changed = new URLSearchParams(search);
	for (const [field, value] of Object.entries(changes)) {
		if (value) changed.set(field, value);
		else changed.delete(field);
	}
	return changed.size ? `?${changed}` : '?';
}
