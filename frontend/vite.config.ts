import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const backend = process.env.BACKEND_URL ?? 'http://127.0.0.1:8000';
const toBackend = { target: backend, changeOrigin: false };

/*
 * Fewer, larger chunks: what every page needs in one, what the desk needs in another. Forty small files would each be
 * compressed alone and weigh some 5 kB more on every page (`npm run size`). What only some pages need stays out.
 */
const groups = [
	{
		name: 'base',
		test: /node_modules\/(svelte(?!\/src\/internal\/client\/dom\/elements\/bindings\/(input|size))|@sveltejs|esm-env|clsx|devalue)|client-optimized\/app|lib\/(api\/(problem|http|auth)|ui\/Button)/,
		priority: 2
	},
	{
		name: 'desk',
		test: /lib\/(state|trading\/ModeBadge|api\/(accounts|me|journal)|answer|format|tell|ui\/(Badge|Banner|toast|ErrorState|Later|Skeleton))|routes\/\(desk\)\/(Header|Navigation|Warnings|\+layout)|icons\/(chart-c|book-open|layers|settings|chevrons)/,
		priority: 1
	}
];
const grouped: Plugin = {
	name: 'grouped-chunks',
	// Only what the browser gets: the server's build is thrown away.
	config: (_, { isSsrBuild }) =>
		isSsrBuild ? {} : { build: { rolldownOptions: { output: { codeSplitting: { groups } } } } }
};

/*
 * Lucide draws every icon element by element in the browser. Here each becomes the plain picture that it is, at build
 * time: same imports, same properties, and none of the drawing code on every page.
 */
const PROPS = `let { size = 24, strokeWidth = 2, class: extra = '', ...rest } = $props();`;
const drawnIcons: Plugin = {
	name: 'drawn-icons',
	enforce: 'pre',
	transform: {
		filter: { id: /@lucide\/svelte\/dist\/icons\/[\w-]+\.svelte$/ },
		handler(source) {
			const [, data] = /^const iconData = (\{.*\});$/m.exec(source) ?? [];
			if (!data) throw new Error('Lucide writes its icons in another way now.');
			const { node } = JSON.parse(data) as { node: [string, Record<string, string>][] };
			const drawn = node.map(
				([tag, attributes]) =>
					`<${tag} ${Object.entries(attributes)
						.map(([key, value]) => `${key}="${value}"`)
						.join(' ')} />`
			);
			return `<script>${PROPS}</script>
				<svg viewBox="0 0 24 24" width={size} height={size} fill="none" stroke="currentColor" stroke-width={strokeWidth}
					stroke-linecap="round" stroke-linejoin="round" class="lucide {extra}" {...rest}>${drawn.join('')}</svg>`;
		}
	}
};

export default defineConfig({
	plugins: [
		grouped,
		drawnIcons,
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
