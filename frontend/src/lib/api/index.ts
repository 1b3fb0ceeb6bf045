/* The named functions of the API. The sign-in pages import `$lib/api/auth` alone, to stay small. */
export * from './accounts';
export * from './intention';
export * from './journal';
export * from './market';
export * from './me';
export * from './problem';
export * from './stats';
export * from './trades';
export type * from './types';
