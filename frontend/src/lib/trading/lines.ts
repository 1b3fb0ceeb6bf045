/** The plan as lines on the chart. */
import type { Preview, Trade, TradeOrder, TradeStory } from '$lib/api/types';
import type { PlanLine, StopMove } from '$lib/charts/types';
import { asR, percent, quantity, signedMoney, signedPercent } from '$lib/format';
import { percentBetween, rAt } from './geometry';
import type { PlanDraft } from './plan-draft.svelte';
import { decimal, typed } from './decimal';
import type { PlanDocument } from './plan-document';
import { ENTRY_NAMES, STOP_NAMES } from './words';

const parts = (...words: (string | null | undefined | false)[]): string => words.filter(Boolean).join(' · ');

/** The lines of the ticket: what is typed, with the server's figures where it has given them for this very plan. */
export function draftLines(draft: PlanDraft, preview: Preview | undefined): PlanLine[] {
	const lines = [...entryLines(draft, preview), stopLine(draft, preview), ...targetLines(draft, preview)];
	const liquidation = preview?.possible?.liquidation_price;
	if (liquidation)
		lines.push({
			id: 'liquidation',
			price: liquidation,
			tone: 'liquidation',
			label: 'Liquidation',
			short: 'Liq',
			dashed: true
		});
	if (!draft.isMarket) lines.push(...cancelLines(typed(draft.cancelAbove), typed(draft.cancelBelow)));
	return lines.filter((line) => decimal(line.price));
}

function entryLines(draft: PlanDraft, preview: Preview | undefined): PlanLine[] {
	const many = draft.entries.length > 1;
	return draft.entries.map((entry, index) => {
		const name = many ? `Entry ${index + 1}` : 'Entry';
		const size = preview?.entries[index]?.quantity;
		return {
			id: `entry-${index}`,
			price: draft.priceOf(entry),
			tone: 'entry',
			label: parts(name, ENTRY_NAMES[entry.kind].toLowerCase(), size && quantity(size)),
			short: name,
			dashed: entry.kind === 'market'
		};
	});
}

function stopLine(draft: PlanDraft, preview: Preview | undefined): PlanLine {
	const loss = preview?.possible?.loss_at_stop;
	const away = percentBetween(draft.averageEntry, typed(draft.stop));
	return {
		id: 'stop',
		price: typed(draft.stop),
		tone: 'stop',
		label: parts('Stop', away && signedPercent(away), loss && signedMoney(`-${loss}`), '−1R'),
		short: 'Stop −1R'
	};
}

function targetLines(draft: PlanDraft, preview: Preview | undefined): PlanLine[] {
	return draft.sentTargets.map((index, row) => {
		const at = draft.targetPrices[index];
		const r = rAt(draft.averageEntry, typed(draft.stop), at);
		const figure = preview?.targets[row];
		return {
			id: `target-${index}`,
			price: at,
			tone: 'target',
			label: parts(
				`TP${index + 1}`,
				percent(draft.targetShares[index]),
				figure && signedMoney(figure.net),
				r && asR(r, 1)
			),
			short: parts(`TP${index + 1}`, r && asR(r, 1)),
			dashed: true
		};
	});
}

function cancelLines(above: string, below: string): PlanLine[] {
	const line = (id: string, at: string): PlanLine => ({
		id,
		price: at,
		tone: 'cancel',
		label: `Withdraw entry ${id}`,
		short: 'Withdraw',
		dashed: true
	});
	return [line('above', above), line('below', below)];
}

/** The lines of a trade: where it entered (or waits), where the stop stands, and its targets. */
export function tradeLines(trade: Trade | TradeStory): PlanLine[] {
	const plan = (('first_plan' in trade && trade.first_plan) || trade.plan) as unknown as PlanDocument;
	const isDone = trade.status === 'closed' || trade.status === 'cancelled';
	const stop = isDone ? plan.stop.price : (trade.stop?.price ?? plan.stop.price);
	const stopName = isDone ? 'First stop' : parts('Stop', trade.stop && STOP_NAMES[trade.stop.kind]);
	const entries = trade.average_entry
		? [trade.average_entry]
		: plan.entries.map((leg) => leg.price ?? leg.trigger ?? '');
	const targets = (isDone ? plan : (trade.plan as unknown as PlanDocument)).take_profits;
	const cancel = trade.status === 'pending' ? plan.cancel : undefined;
	const lines: PlanLine[] = [
		...entries.map((at, index): PlanLine => ({
			id: `entry-${index}`,
			price: at,
			tone: 'entry',
			label: trade.average_entry ? 'Average entry' : 'Entry',
			short: 'Entry',
			dashed: !trade.average_entry
		})),
		{ id: 'stop', price: stop, tone: 'stop', label: stopName, short: 'Stop' },
		...targets.map((target, index): PlanLine => ({
			id: `target-${index}`,
			price: target.price,
			tone: 'target',
			label: parts(`TP${index + 1}`, rungWords(trade, index)),
			short: `TP${index + 1}`,
			dashed: true
		})),
		...cancelLines(cancel?.above ?? '', cancel?.below ?? '')
	];
	return lines.filter((line) => decimal(line.price));
}

function rungWords(trade: Trade, leg: number): string {
	const rung = trade.ladder?.find((each) => each.role === 'take_profit' && each.leg === leg);
	return rung?.status === 'filled' ? 'filled' : rung ? quantity(rung.quantity) : '';
}

/** Where the stop stood and since when, from the stop orders that were live. */
export function stopMoves(orders: readonly TradeOrder[], closedAt: string | null): StopMove[] {
	const moves = orders
		.filter((order) => order.role === 'stop' && order.trigger && (order.placed_at ?? order.created_at))
		.map((order) => ({ time: order.placed_at ?? order.created_at, price: order.trigger!, kind: order.reason }))
		.sort((a, b) => Date.parse(a.time) - Date.parse(b.time));
	const last = moves[moves.length - 1];
	return last && closedAt ? [...moves, { ...last, time: closedAt }] : moves;
}
