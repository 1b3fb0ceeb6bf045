import { request } from './http';
import type { JournalFilter, JournalRow, Label, Page, Screenshot } from './types';

export interface EntryChanges {
	notes?: string;
	setup?: number | null;
	tags?: number[];
}

export const listJournal = (filter: JournalFilter, cursor?: string | null, signal?: AbortSignal) =>
	request<Page<JournalRow>>('GET', '/journal', { query: { ...filter, cursor }, signal });
export const getEntry = (trade: number, signal?: AbortSignal) =>
	request<JournalRow>('GET', `/journal/${trade}`, { signal });
export const changeEntry = (trade: number, changes: EntryChanges) =>
	request<JournalRow>('PATCH', `/journal/${trade}`, { body: changes });
export const removeScreenshot = (trade: number) => request<void>('DELETE', `/journal/${trade}/screenshot`);

export function addScreenshot(trade: number, image: Blob): Promise<Screenshot> {
	const body = new FormData();
	body.set('image', image, image instanceof File ? image.name : 'screenshot.png');
	return request<Screenshot>('POST', `/journal/${trade}/screenshot`, { body });
}

export const listSetups = () => request<Page<Label>>('GET', '/setups');
export const createSetup = (name: string) => request<Label>('POST', '/setups', { body: { name } });
export const listTags = () => request<Page<Label>>('GET', '/tags');
export const createTag = (name: string) => request<Label>('POST', '/tags', { body: { name } });
