import { request } from './http';
import type { Health } from './types';

/** How the desk is, and the signed-in user's accounts that have something to protect. */
export const getHealth = (signal?: AbortSignal) => request<Health>('GET', '/health', { signal });
