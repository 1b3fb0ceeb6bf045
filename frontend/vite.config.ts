import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const backend = process.env.BACKEND_URL ?? 'http://127.0.0.1:8000';
const toBackend = { target: backend, changeOrigin: false };

/*
 * Fewer, larger chunks: what every page needs in one, what the desk needs in another. Forty small files would each be
 * compressed alone and weigh some 5 kB more on every page (`npm run size`).
 */
const groups = [
	{
		name: 'base',
		test: /node_modules\/(svelte|@sveltejs|esm-env|clsx|devalue)|client-optimized\/app|lib\/(api\/(problem|http|auth)|ui\/(Button|Field|Logo))/,
		priority: 2
	},
	{
		name: 'desk',
		test: /lib\/(state|api|format|tell|answer|ui\/(Badge|Banner|Toaster|toast|Chip|Empty|ErrorState|Skeleton|Select))|@lucide\/svelte\/dist\/Icon|routes\/\(desk\)\/(Header|Navigation|Warnings|Shortcuts|\+layout)/,
		priority: 1
	}
];
const grouped: Plugin = {
	name: 'grouped-chunks',
	// Only what the browser gets: the server's build is thrown away.
	config: (_, { isSsrBuild }) =>
		isSsrBuild ? {} : { build: { rolldownOptions: { output: { codeSplitting: { groups } } } } }
};

export default defineConfig({
	plugins: [
		grouped,
		tailwindcss(),
		sveltekit({
			compilerOptions: {
				runes: ({ filename }) => (filename.split(/[/\\]/).includes('node_modules') ? undefined : true)
			},
			// One page for every address: the server answers index.html and the router takes over.
			adapter: adapter({ fallback: 'index.html' }),
			// The inline boot script is allowed by its hash; everything else must come from this origin.
			csp: { mode: 'hash', directives: { 'script-src': ['self'] } }
		})
	],
	server: {
		proxy: { '/api': toBackend, '/_allauth': toBackend, '/health': toBackend }
	},
	// No asset inside the styles: the content policy of fonts knows only this origin.
	build: { target: 'es2023', assetsInlineLimit: 0 },
	// Rune classes are tested as they run in the browser, not as they would render on a server.
	resolve: process.env.VITEST ? { conditions: ['browser'] } : undefined,
	test: {
		expect: { requireAssertions: true },
		include: ['src/**/*.test.ts'],
		environment: 'node'
	}
});
