/** The theme's tokens as the chart's colours. */
import type { Tone } from './types';

export type Palette = Record<Tone | 'gain' | 'loss' | 'muted' | 'grid' | 'ink' | 'font', string>;

export function palette(element: HTMLElement): Palette {
	const style = getComputedStyle(element);
	const token = (name: string) =>
		(style.getPropertyValue(`--color-${name}`) || style.getPropertyValue(`--${name}`)).trim();
	return {
		entry: token('accent'),
		stop: token('loss'),
		target: token('gain'),
		cancel: token('warn'),
		liquidation: token('warn'),
		break_even: token('muted'),
		price: token('muted'),
		gain: token('gain'),
		loss: token('loss'),
		muted: token('muted'),
		grid: token('line'),
		ink: token('bg'),
		font: style.fontFamily
	};
}
