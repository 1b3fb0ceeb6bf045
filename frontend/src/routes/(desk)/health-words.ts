import type { Health } from '$lib/api/types';
import { ago, duration } from '$lib/format';

export type Light = Health['light'];
type Part = Health['parts'][number];
type AccountHealth = Health['accounts'][number];

export const TONES = { green: 'gain', amber: 'warn', red: 'loss' } as const;
/** Colour is never the only sign. */
export const SIGNS: Record<Light, string> = { green: '●', amber: '▲', red: '■' };
export const LIGHT_WORDS: Record<Light, string> = { green: 'well', amber: 'late', red: 'down' };

const PARTS: Record<string, string> = {
	web: 'Web',
	database: 'Database',
	store: 'Store',
	worker: 'Worker',
	beat: 'Scheduler',
	stream: 'Stream of the venues',
	watchdog: 'Watchdog',
	feed: 'Live feed',
	backup: 'Proven backup'
};
const TASKS: Record<string, string> = {
	watch_all: 'Look at accounts',
	tick: 'Send prices',
	forget_old_calls: 'Forget old requests',
	link_events: 'Chain the audit log',
	watch_keys: 'Check keys',
	warn_of_refused_keys: 'Repeat warnings',
	heartbeat: 'Heartbeat'
};
const last = (name: string): string => name.split('.').at(-1) ?? name;
const sentence = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
export const partName = (name: string): string => PARTS[name] ?? sentence(name);
export const taskName = (name: string): string => TASKS[last(name)] ?? sentence(last(name));

/** "3 s", or a dash where nothing gives a sign of life. */
export const age = (seconds: number | null): string => (seconds === null ? '–' : duration(Math.round(seconds) * 1000));
export const every = (seconds: number): string => `every ${duration(seconds * 1000)}`;

/** The account that was not read for longest; one that was never read before all. */
export function oldest(accounts: AccountHealth[]): AccountHealth | undefined {
	const at = (one: AccountHealth) => (one.good_look_at ? Date.parse(one.good_look_at) : 0);
	return [...accounts].sort((one, other) => at(one) - at(other))[0];
}

/** The desk's one line: a word, and what stands behind it. */
export function healthLine(health: Health, now: number): { light: Light; word: string; more: string } {
	const { light, accounts } = health;
	const naked = accounts.find((one) => one.uncovered.length);
	const seen = oldest(accounts);
	const read = seen ? (seen.good_look_at ? `read ${ago(seen.good_look_at, now)}` : 'never read') : '';
	if (naked) return { light, word: 'No stop', more: `${naked.name} holds more than stops rest for` };
	const unseen = accounts.find((one) => one.light === 'red');
	if (unseen) return { light, word: 'Not looked after', more: `${unseen.name}: ${read}` };
	const down = [...health.parts, ...named(health.tasks)].find((one) => one.light === light);
	if (light === 'green' || !down) return { light, word: light === 'green' ? 'Connected' : 'Late', more: read };
	return { light, word: `${partName(down.name)} ${LIGHT_WORDS[light]}`, more: read };
}

const named = (tasks: Health['tasks']): Part[] => tasks.map((one) => ({ ...one, name: taskName(one.name) }));
