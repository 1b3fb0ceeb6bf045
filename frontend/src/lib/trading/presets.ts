/** Ready-made ways out and rules, as buttons on the ticket. */
import type { PlanDraft } from './plan-draft.svelte';

export interface TargetPreset {
	name: string;
	multiples: string[];
	/** Percent of the whole; the last target takes the rest. */
	shares: string[];
}

export const TARGET_PRESETS: TargetPreset[] = [
	{ name: '1·2·3R', multiples: ['1', '2', '3'], shares: ['33', '33'] },
	{ name: '1·3R', multiples: ['1', '3'], shares: ['50'] },
	{ name: '2R', multiples: ['2'], shares: [] },
	{ name: '1·2·4·6R', multiples: ['1', '2', '4', '6'], shares: ['40', '30', '20'] }
];

export const RISK_PERCENTS = ['0.25', '0.5', '1', '2'];

export function applyPreset(draft: PlanDraft, preset: TargetPreset): void {
	draft.setTargets(preset.multiples, preset.shares);
	if (preset.multiples.length < 2) draft.step = false;
}

/** Thirds at 1R, 2R and 3R, 1 % risk, and a stop that goes to break-even after the first: a sound trade to start from. */
export function applyDefaults(draft: PlanDraft): void {
	applyPreset(draft, TARGET_PRESETS[0]);
	draft.breakEven = { after: { kind: 'take_profit', value: '1' }, cover: 'costs' };
}
