import type { FillMark } from './types';

/** "Entry", "TP2", "Stop", "Close". */
export function nameOf(fill: Pick<FillMark, 'role' | 'leg'>): string {
	if (fill.role === 'take_profit') return `TP${fill.leg + 1}`;
	return fill.role.charAt(0).toUpperCase() + fill.role.slice(1);
}
