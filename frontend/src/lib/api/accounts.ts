import { request } from './http';
import type { Account, AccountChanges, NewAccount, Page, Replay, Resumption } from './types';

export const listAccounts = () => request<Page<Account>>('GET', '/accounts');
export const getAccount = (id: number) => request<Account>('GET', `/accounts/${id}`);
export const createAccount = (account: NewAccount) => request<Account>('POST', '/accounts', { body: account });
export const changeAccount = (id: number, changes: AccountChanges) =>
	request<Account>('PATCH', `/accounts/${id}`, { body: changes });
export const archiveAccount = (id: number) => request<void>('DELETE', `/accounts/${id}`);
export const makeMain = (id: number) => request<Account>('POST', `/accounts/${id}/main`);
export const checkAccount = (id: number) => request<Account>('POST', `/accounts/${id}/check`);
export const haltAccount = (id: number) => request<Account>('POST', `/accounts/${id}/halt`);
export const resumeAccount = (id: number, resumption: Resumption = {}) =>
	request<Account>('POST', `/accounts/${id}/resume`, { body: resumption });
export const openPractice = () => request<Account>('POST', '/accounts/practice');
export const listReplays = () => request<Page<Replay>>('GET', '/replays');
