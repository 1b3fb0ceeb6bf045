import type { Rung, Trade } from '$lib/api/types';
import { decimal, over, text } from './decimal';

export interface ShownRung {
	role: Rung['role'];
	name: string;
	/** How much has filled, 0 to 1. */
	part: number;
	/** Its width on the bar, relative to the others. */
	weight: number;
	words: string;
}

const STATUS_WORDS: Record<Rung['status'], string> = {
	waiting: 'waiting',
	open: 'resting',
	partial: 'partly filled',
	filled: 'filled',
	cancelled: 'cancelled'
};

/** The ladder as it is drawn: entries before targets, widths by quantity. */
export function rungsOf(trade: Pick<Trade, 'ladder'>): ShownRung[] {
	const entries = trade.ladder.filter((rung) => rung.role === 'entry');
	const whole = trade.ladder.reduce((sum, rung) => sum + Number(rung.quantity), 0) || 1;
	return trade.ladder.map((rung) => {
		const name =
			rung.role === 'entry' ? (entries.length > 1 ? `Entry ${rung.leg + 1}` : 'Entry') : `TP${rung.leg + 1}`;
		return {
			role: rung.role,
			name,
			part: partOf(rung),
			weight: (Number(rung.quantity) / whole) * 100 || 1,
			words: `${name} ${STATUS_WORDS[rung.status] ?? rung.status}`
		};
	});
}

function partOf(rung: Rung): number {
	const [filled, whole] = [decimal(rung.filled), decimal(rung.quantity)];
	if (rung.status === 'filled') return 1;
	return filled && whole ? Math.min(1, Number(text(over(filled, whole)))) : 0;
}
