import type { Theme } from '$lib/api/types';

const prefersLight = () => matchMedia('(prefers-color-scheme: light)').matches;

/** Applies the theme and remembers it for the next first paint (static/theme.js reads it there). */
export function showTheme(theme: Theme): void {
	const light = theme === 'light' || (theme === 'system' && prefersLight());
	document.documentElement.dataset.theme = light ? 'light' : 'dark';
	try {
		localStorage.setItem('theme', theme);
	} catch {
		// Storage may be switched off: the theme then simply starts dark.
	}
}
