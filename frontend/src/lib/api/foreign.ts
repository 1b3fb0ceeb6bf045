/* Positions at the venue that no trade of ours accounts for, and what the trader decides about them. */
import { request } from './http';
import type { Adoption, ForeignPosition, Page, Trade } from './types';

const at = (position: ForeignPosition, decision = '') =>
	`/accounts/${position.account}/foreign-positions/${position.id}/${decision}`;

export const listForeign = (account: number, signal?: AbortSignal) =>
	request<Page<ForeignPosition>>('GET', `/accounts/${account}/foreign-positions`, { signal });
export const adopt = (position: ForeignPosition, wanted: Adoption, key: string) =>
	request<Trade>('POST', at(position, 'adopt'), { body: wanted, key });
export const closeForeign = (position: ForeignPosition, key: string) =>
	request<Trade>('POST', at(position, 'close'), { key });
export const ignore = (position: ForeignPosition, on: boolean) =>
	request<ForeignPosition>('POST', at(position, 'ignore'), { body: { on } });
