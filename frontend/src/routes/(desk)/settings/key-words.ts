import type { Key } from '$lib/api/types';
import { count, date, duration } from '$lib/format';
import { EXPIRY_NOTICE } from '../account-trouble';

/** One thing the venue said of a key, in plain words. */
export interface Said {
	tone: 'good' | 'warn' | 'bad' | 'plain';
	words: string;
	/** What it means, or what to do about it. */
	note: string;
}
type Right = Key['can_trade'];

/** What a key may do. What the venue did not say is never taken for safe. */
export function rightsOf(key: Key, { name: venue, spot }: { name: string; spot: boolean }, now: number): Said[] {
	return [
		tradeWords(key.can_trade, venue, spot),
		withdrawWords(key.can_withdraw, venue),
		ipWords(key.ip_bound, venue),
		endWords(key, now)
	];
}

function tradeWords(right: Right, venue: string, spot: boolean): Said {
	if (right === 'yes') return { tone: 'good', words: 'Can trade', note: '' };
	if (right === 'no')
		return { tone: 'bad', words: 'Cannot trade', note: `Allow ${spot ? 'spot' : 'futures'} trading at ${venue}.` };
	return { tone: 'plain', words: 'Cannot tell whether it can trade', note: `${venue} does not say it of this key.` };
}

function withdrawWords(right: Right, venue: string): Said {
	if (right === 'no') return { tone: 'good', words: 'Cannot withdraw', note: '' };
	if (right === 'yes')
		return { tone: 'bad', words: 'Can withdraw', note: `Take that right away at ${venue}: nothing new is opened.` };
	const note = `${venue} does not say it of this key. Look at its settings there: withdrawing must be off.`;
	return { tone: 'warn', words: 'Cannot tell whether it can withdraw', note };
}

function ipWords(right: Right, venue: string): Said {
	if (right === 'yes') return { tone: 'good', words: 'Bound to IP addresses', note: '' };
	if (right === 'no') {
		const note = 'Whoever gets hold of it can trade from anywhere. Bind it to the address of this server.';
		return { tone: 'warn', words: 'Not bound to an IP address', note };
	}
	return { tone: 'plain', words: 'Cannot tell whether it is bound to an IP address', note: `${venue} does not say.` };
}

function endWords({ expires_at: end }: Key, now: number): Said {
	if (!end) return { tone: 'plain', words: 'No end is known', note: '' };
	const left = Date.parse(end) - now;
	if (left <= 0) return { tone: 'bad', words: `Ended on ${date(end)}`, note: 'Make a new key.' };
	const soon = left <= EXPIRY_NOTICE;
	return {
		tone: soon ? 'warn' : 'plain',
		words: `Ends on ${date(end)}`,
		note: soon ? 'Make a new key in time.' : ''
	};
}

/** Where a key is made, and what its switches are called there. */
export interface Recipe {
	where: string;
	trade: string;
	never: string;
	bind: string;
	/** Whether the venue says if a key may withdraw. */
	tells: boolean;
}

const PLACES: Record<string, Omit<Recipe, 'never' | 'tells'> & { practice: string }> = {
	binance: {
		where: 'Profile → Account → API Management',
		practice: 'demo.binance.com → API Management',
		trade: 'Enable Reading and Enable Futures',
		bind: 'Restrict access to trusted IPs only'
	},
	'binance-spot': {
		where: 'Profile → Account → API Management',
		practice: 'demo.binance.com → API Management',
		trade: 'Enable Reading and Enable Spot & Margin Trading',
		bind: 'Restrict access to trusted IPs only'
	},
	bybit: {
		where: 'Account → API → Create New Key',
		practice: 'testnet.bybit.com → API → Create New Key',
		trade: 'Read-Write with Unified Trading: Orders and Positions',
		bind: 'Only IPs with permissions granted'
	},
	okx: {
		where: 'Profile → API',
		practice: 'Demo trading → Profile → Demo trading API',
		trade: 'Read and Trade',
		bind: 'Link IP address'
	},
	bingx: {
		where: 'Account → API Management',
		practice: 'Account → API Management; practice money is VST there',
		trade: 'Read and Perpetual Futures Trading',
		bind: 'IP whitelist'
	},
	bitget: {
		where: 'Account → API Management',
		practice: 'Demo trading → API Management → Create demo API key',
		trade: 'Read-write with Futures orders and positions',
		bind: 'Bind IP address'
	},
	kraken: {
		where: 'Kraken Futures → Settings → Create Key',
		practice: 'demo-futures.kraken.com → Settings → Create Key',
		trade: 'General API: Full access',
		bind: 'IP whitelist'
	},
	'kraken-spot': {
		where: 'Kraken → Settings → Connections & API → Create API key',
		practice: 'Kraken has no practice money for spot',
		trade: 'Query funds, query open and closed orders and trades, create, modify, cancel and close orders, WebSockets',
		bind: 'IP address restriction'
	}
};
const ANYWHERE = {
	where: 'the API settings of your account',
	practice: 'the API settings of its testnet',
	trade: 'reading and trading',
	bind: 'trusted IP addresses'
};

/** They do not say whether a key may withdraw. */
const SILENT = ['bitget', 'kraken'];
const NEVER: Record<string, string> = {
	kraken: 'Withdrawal API: No access',
	'kraken-spot': 'Deposit and withdraw funds, earn'
};

export function recipeFor(venue: string, mode: 'testnet' | 'live'): Recipe {
	const { where, practice, trade, bind } = PLACES[venue] ?? ANYWHERE;
	const never = NEVER[venue] ?? 'Withdrawals and transfers';
	return { where: mode === 'testnet' ? practice : where, trade, never, bind, tells: !SILENT.includes(venue) };
}

/** Venues refuse requests that come from another time; this desk corrects for what it knows. */
const FAR = 1000;
export function clockWords(offset: number | null): { words: string; isFar: boolean } {
	if (offset === null) return { words: 'not compared yet', isFar: false };
	const isFar = Math.abs(offset) > FAR;
	if (Math.abs(offset) < 1) return { words: 'as ours', isFar };
	const much = isFar ? duration(Math.abs(offset)) : `${count(Math.abs(offset))} ms`;
	return { words: `${much} ${offset > 0 ? 'ahead' : 'behind'}`, isFar };
}
