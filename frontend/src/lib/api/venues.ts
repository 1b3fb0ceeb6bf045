/* Accounts at venues. Apart from accounts.ts, which every page carries: these are called from dialogs. */
import { post } from './auth';
import { request } from './http';
import type { Account, NewKey, Venues } from './types';

export const listVenues = () => request<Venues>('GET', '/venues');
/** Another key for the account; the old one stays in use until this one has passed its check. */
export const replaceKey = (id: number, key: NewKey) => request<Account>('PUT', `/accounts/${id}/key`, { body: key });
/** Proves once more who asks; what puts real money at risk wants that to be fresh. */
export const proveIdentity = (password: string) => post('/auth/reauthenticate', { password });
