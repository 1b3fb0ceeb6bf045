/** The plan document: one JSON shape for the API, templates, webhooks and the rehearsal. Decimals are strings. */
import type { Side } from './geometry';

export type EntryKind = 'market' | 'limit' | 'trigger' | 'trigger_limit';
export type Cover = 'entry' | 'costs';
export type After = { take_profit: number } | { r: string } | { percent: string } | { minutes: string };

export interface EntryLeg {
	kind: EntryKind;
	price?: string;
	trigger?: string;
	share?: string;
}

export interface Trail {
	percent?: string;
	atr?: string;
	candles?: number;
	after?: After;
	timeframe?: string;
}

export interface Rules {
	break_even?: { after: After; cover: Cover };
	step?: boolean;
	trail?: Trail;
	close_after_minutes?: string;
}

export interface CancelRules {
	above?: string | null;
	below?: string | null;
	at_take_profit?: number | null;
	after_minutes?: string | number | null;
}

export interface PlanDocument {
	symbol: string;
	side?: Side;
	entries: EntryLeg[];
	stop: { price: string };
	take_profits: { price: string; share?: string }[];
	risk: { percent?: string; money?: string; quantity?: string };
	leverage?: number;
	margin_mode?: 'isolated' | 'cross';
	rules?: Rules;
	cancel?: CancelRules;
}

/** The same plan with another stop and other target prices: what an amendment sends. */
export function amended(plan: PlanDocument, stop: string, targets: string[]): PlanDocument {
	return {
		...plan,
		stop: { ...plan.stop, price: stop },
		take_profits: plan.take_profits.map((target, index) => ({ ...target, price: targets[index] ?? target.price }))
	};
}
