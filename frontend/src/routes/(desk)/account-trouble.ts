import type { Account } from '$lib/api/types';
import { dateTime, time } from '$lib/format';

/** What is wrong with an account, what to do about it, and how loudly it is said. */
export interface Trouble {
	id: string;
	tone: 'warn' | 'loss';
	title: string;
	text: string;
	/** Where the cure is, when it is on another page. */
	cure?: { href: string; label: string };
	/** Nothing is looked after: what was held when it was last read belongs into the message. */
	isBlind?: boolean;
}

/** A venue that is away for so long is more than a hiccup. */
const PATIENCE = 30_000;
const DAY = 86_400_000;
/** From here on the end of a key is worth a word. */
export const EXPIRY_NOTICE = 14 * DAY;

export const venueName = (account: Pick<Account, 'label'>): string => account.label.split(' · ').at(-1) ?? '';
export const isAtVenue = (account: Pick<Account, 'mode'>): boolean => account.mode !== 'paper';

const MODES = { one_way: 'one-way', hedge: 'hedge' };
export const positionMode = (mode: Account['position_mode']): string => MODES[mode];

/** Everything that stands against trading on this account, or against looking after what is open; the worst first. */
export function troublesOf(account: Account, now: number): Trouble[] {
	const found = isAtVenue(account) ? [...ofKey(account, now), ...ofReading(account, now), ...ofMode(account)] : [];
	return [...found, ...ofPrices(account), ...ofState(account)].map((trouble) => ({
		...trouble,
		id: `${account.id} ${trouble.id}`
	}));
}

const settings = (account: Account, label: string) => ({ href: `/settings#account-${account.id}`, label });
const lastRead = (account: Account): string =>
	account.connection.good_look_at ? `Last read at ${time(account.connection.good_look_at)}.` : 'It was never read.';

function* ofKey(account: Account, now: number): Generator<Trouble> {
	const { key, name } = account;
	const venue = venueName(account);
	const save = settings(account, 'Save another key');
	if (!key) {
		const text = 'Nothing is looked after.';
		yield { id: 'no key', tone: 'loss', title: `${name} has no key`, text, cure: save, isBlind: true };
		return;
	}
	if (key.refused_at) {
		const title = `${venue} does not accept the key of ${name}: nothing is looked after`;
		const text = `Since ${dateTime(key.refused_at)}. No stop is moved and no entry withdrawn. Look at ${venue} itself now, then save a key that it accepts.`;
		yield { id: 'refused', tone: 'loss', title, text, cure: save, isBlind: true };
	}
	if (key.can_withdraw === 'yes') {
		const title = `The key of ${name} may withdraw money`;
		const text = `Nothing new is opened with it. Take that right away at ${venue} and check again, or save another key; then resume.`;
		yield { id: 'withdraws', tone: 'loss', title, text, cure: settings(account, 'Settings') };
	}
	if (key.can_trade === 'no') {
		const title = `The key of ${name} may not trade`;
		const text = `Stops cannot be placed or moved with it. Allow it to trade ${account.spot ? 'spot' : 'futures'} at ${venue} and check again, or save another key.`;
		yield { id: 'may not trade', tone: 'loss', title, text, cure: settings(account, 'Settings') };
	}
	const left = key.expires_at ? Date.parse(key.expires_at) - now : Infinity;
	if (left <= EXPIRY_NOTICE) {
		const [title, tone] =
			left > 0
				? [`The key of ${name} ends soon`, 'warn' as const]
				: [`The key of ${name} has ended`, 'loss' as const];
		const text = `${dateTime(key.expires_at)}. After that nothing can be looked after with it: make a new one at ${venue}.`;
		yield { id: 'expires', tone, title, text, cure: save };
	}
}

function* ofReading(account: Account, now: number): Generator<Trouble> {
	const { connection, name, key } = account;
	if (connection.state !== 'waiting' || !key || key.refused_at) return;
	const since = connection.good_look_at ? now - Date.parse(connection.good_look_at) : Infinity;
	const isLong = since > PATIENCE;
	yield {
		id: 'unread',
		tone: isLong ? 'loss' : 'warn',
		title: `${venueName(account)} cannot be read for ${name}`,
		text: `${connection.trouble} ${lastRead(account)} Nothing is concluded from silence: orders that rest there stay, nothing new is opened.`,
		isBlind: isLong
	};
}

function* ofMode(account: Account): Generator<Trouble> {
	const there = account.venue_facts?.position_mode;
	if (account.spot || !there || there === account.position_mode) return;
	yield {
		id: 'position mode',
		tone: 'warn',
		title: `${account.name} is in ${positionMode(there)} mode at ${venueName(account)}`,
		text: `You want ${positionMode(account.position_mode)} mode: entries are denied until the two agree.`,
		cure: settings(account, 'Make them agree')
	};
}

function* ofPrices(account: Account): Generator<Trouble> {
	if (isAtVenue(account) || account.connection.state !== 'waiting') return;
	const why = account.connection.trouble || 'the price source cannot be reached';
	const text = 'This account waits until they are back; nothing is made up.';
	yield { id: 'prices', tone: 'warn', title: `No prices: ${why}`, text };
}

function* ofState(account: Account): Generator<Trouble> {
	const { name } = account;
	if (account.state === 'halted') {
		const [title, text] = [`${name} is halted`, 'Nothing new is opened; what is open stays protected.'];
		yield { id: 'halted', tone: 'warn', title, text, cure: settings(account, 'Resume it in Settings') };
	} else if (account.state === 'reducing') {
		const [title, text] = [`${name} only reduces`, 'Exits work, new entries are denied.'];
		yield { id: 'reducing', tone: 'warn', title, text, cure: settings(account, 'Change it in Settings') };
	}
}
