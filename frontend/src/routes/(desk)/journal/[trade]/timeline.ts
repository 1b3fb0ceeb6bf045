import type { Candle, TradeEvent, TradeOrder, TradeStory } from '$lib/api/types';
import { price, quantity } from '$lib/format';

const ROLES = { entry: 'Entry', stop: 'Stop', take_profit: 'Target', close: 'Close' };
export const STATUSES: Record<TradeOrder['status'], string> = {
	intended: 'not sent yet',
	unknown: 'outcome unknown, being looked up',
	open: 'resting',
	partial: 'partly filled',
	filled: 'filled',
	cancelled: 'cancelled',
	rejected: 'rejected',
	expired: 'expired'
};

/** TP2, Entry 1 … ; a stop has no number. */
export function nameOf(order: TradeOrder): string {
	if (order.role === 'take_profit') return `TP${order.leg + 1}`;
	return order.role === 'entry' && order.leg > 0 ? `Entry ${order.leg + 1}` : ROLES[order.role];
}

/** "sell 0.03 at 65,000.0" */
export function whatOf(order: TradeOrder, tick?: string, coin = ''): string {
	const at = order.trigger ?? order.price;
	return `${order.order_side} ${quantity(order.quantity, coin)} ${at ? `at ${price(at, tick)}` : 'at market'}`;
}

/** A resting sale locks its coins. */
const CANCELS: Record<string, string> = { 'in the way': 'its coins were needed' };

/** Why it was there, and why it is no more. */
export function whyOf(order: TradeOrder): string {
	const status = STATUSES[order.status];
	return [
		order.reason.replaceAll('_', ' '),
		`${status}${order.cancel_reason ? `: ${CANCELS[order.cancel_reason] ?? order.cancel_reason}` : ''}`,
		order.refusal
	]
		.filter(Boolean)
		.join(' · ');
}

/**
 * As it was written down: a wish before what came of it. Times alone would not tell them apart, for an exchange's clock
 * is not ours, and a recorded candle gives its fills the time at which it began.
 */
export function inOrder(events: readonly TradeEvent[]): TradeEvent[] {
	return [...events].sort((a, b) => a.id - b.id);
}

/** The candles of a trade's time, and how they are read. */
export interface Market {
	candles: Candle[];
	tick: string;
	timeframe: ReturnType<typeof chartWindow>['timeframe'];
}

/** The candle length that draws the whole trade with some room around it, in at most some 300 candles. */
export function chartWindow(story: Pick<TradeStory, 'created_at' | 'opened_at' | 'closed_at' | 'fills'>, now: number) {
	const first = Date.parse(story.fills[0]?.time ?? story.opened_at ?? story.created_at);
	const last = story.closed_at ? Date.parse(story.closed_at) : now;
	const span = Math.max(last - first, 30 * 60_000);
	const [timeframe] = TIMEFRAMES.find(([, length]) => span / length <= 200) ?? TIMEFRAMES[TIMEFRAMES.length - 1];
	return {
		timeframe,
		from: new Date(first - span / 4).toISOString(),
		to: new Date(last + span / 4).toISOString()
	};
}

const TIMEFRAMES = [
	['1m', 60_000],
	['5m', 300_000],
	['15m', 900_000],
	['1h', 3_600_000],
	['4h', 14_400_000],
	['1d', 86_400_000]
] as const;

/** Where the stop stood last, whether or not it still stands. */
export function lastStop(story: Pick<TradeStory, 'stop' | 'orders'>): string | null {
	const stops = story.orders.filter(({ role, trigger }) => role === 'stop' && trigger);
	return story.stop?.price ?? stops.at(-1)?.trigger ?? null;
}
