/** The plan in the trader's words: chips on the ticket and cards, one wording everywhere. */
import type { AfterKind, TrailKind } from './plan-draft.svelte';
import type { After, EntryKind, PlanDocument, Trail } from './plan-document';

export const ENTRY_NAMES: Record<EntryKind, string> = {
	market: 'Market',
	limit: 'Limit',
	trigger: 'Trigger',
	trigger_limit: 'Trigger-limit'
};

export const TRAIL_NAMES: Record<TrailKind, string> = {
	percent: '% of the best price',
	atr: '× ATR',
	candles: 'candles’ extreme'
};

export const AFTER_NAMES: Record<AfterKind, string> = {
	take_profit: 'target',
	r: 'R in profit',
	percent: '% in profit',
	minutes: 'minutes'
};

/** "TP1", "+1.5R", "+2 %", "4 h". */
export function afterWords(after: After): string {
	if ('take_profit' in after) return `TP${after.take_profit}`;
	if ('r' in after) return `+${after.r}R`;
	if ('percent' in after) return `+${after.percent} %`;
	return minutesWords(after.minutes);
}

/** "45 min", "4 h", "1 h 30 min", "2 d". */
export function minutesWords(minutes: string | number): string {
	const total = Number(minutes);
	if (!Number.isFinite(total)) return `${minutes} min`;
	if (total && total % 1440 === 0) return `${total / 1440} d`;
	const [hours, rest] = [Math.floor(total / 60), total % 60];
	return [hours && `${hours} h`, (rest || !hours) && `${rest} min`].filter(Boolean).join(' ');
}

export function trailWords(trail: Trail): string {
	const way = trail.percent
		? `${trail.percent} % behind the best price`
		: trail.atr
			? `${trail.atr} × ATR`
			: `the last ${trail.candles} candles`;
	return trail.after ? `${way} after ${afterWords(trail.after)}` : way;
}

/** Everything that will move the stop or end the trade, one chip each. */
export function ruleWords(plan: PlanDocument): string[] {
	const { break_even, step, trail, close_after_minutes } = plan.rules ?? {};
	return [
		break_even &&
			`break-even${break_even.cover === 'costs' ? ' + costs' : ''} after ${afterWords(break_even.after)}`,
		step && 'then step to the target before',
		trail && `trail ${trailWords(trail)}`,
		close_after_minutes && `close after ${minutesWords(close_after_minutes)}`
	].filter((words) => typeof words === 'string');
}

/** When what is unfilled of the entry is withdrawn, one chip each. */
export function cancelWords(plan: PlanDocument): string[] {
	const { above, below, at_take_profit, after_minutes } = plan.cancel ?? {};
	return [
		above && `above ${above}`,
		below && `below ${below}`,
		at_take_profit && `runs to TP${at_take_profit}`,
		after_minutes && `after ${minutesWords(after_minutes)}`
	].filter((words) => typeof words === 'string');
}

export const STOP_NAMES: Record<string, string> = {
	first: 'first stop',
	break_even: 'break-even',
	step: 'stepped to a target',
	trailing: 'trailing',
	manual: 'set by hand'
};

export const EXIT_NAMES: Record<string, string> = {
	take_profit: 'took profit',
	stop_loss: 'stopped out',
	break_even: 'stopped at break-even',
	trailing_stop: 'trailed out',
	manual: 'closed by hand',
	time: 'closed after its time',
	halt: 'closed by a halt',
	unprotected: 'closed: no stop could be live',
	liquidation: 'liquidated',
	external: 'closed on the exchange'
};

/** How a trade ended that nobody can ask about any more; `price` null where the result is unknown. */
export interface Ending {
	price: string | null;
	/** Typed by hand, to the letter. */
	sentence: string;
}

export const endingSentence = (symbol: string) => `I end ${symbol} by my word`;
