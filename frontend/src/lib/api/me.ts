import { request } from './http';
import type { Me } from './types';

export const getMe = () => request<Me>('GET', '/me');
export const changeMe = (changes: Partial<Pick<Me, 'time_zone' | 'theme'>>) =>
	request<Me>('PATCH', '/me', { body: changes });
