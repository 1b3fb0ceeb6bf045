/**
 * First-load JavaScript of every route, in kB gzip, as one JSON object: what the browser must fetch before the page
 * shows itself ("first"), by the build's own manifest. What it fetches from there on, beside its data (the parts that
 * show them, the chart) or when it is asked for (dialogs), is counted apart, as "later"; styles as "css". Run `npm run build` first.
 */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const KIT = '.svelte-kit';
const manifest = JSON.parse(readFileSync(`${KIT}/output/client/.vite/manifest.json`, 'utf8'));
const app = readFileSync(`${KIT}/generated/client-optimized/app.js`, 'utf8');

/** SvelteKit's own table: route → [leaf, [layouts], [errors]], a number per node. */
function routes() {
	const [, table] = /export const dictionary = (\{[\s\S]*?\n\t?\});/.exec(app) ?? [];
	return Object.entries(JSON.parse(table.replace(/,(\s*[\]}])/g, '$1').replace(/\[,/g, '[null,'))).map(
		([route, [leaf, layouts = []]]) => ({ route, nodes: [0, ...layouts, Math.abs(leaf) - (leaf < 0 ? 1 : 0)] })
	);
}

const nodeKey = (number) => `${KIT}/generated/client-optimized/nodes/${number}.js`;
const isRoute = (key) => key.includes('/nodes/');
const entries = Object.keys(manifest).filter((key) => manifest[key].isEntry && !isRoute(key));

const staticImports = (key) => manifest[key].imports ?? [];
const everyImport = (key) => [
	...staticImports(key),
	...(manifest[key].dynamicImports ?? []).filter((to) => !isRoute(to))
];

/** Every file reached by one kind of imports. */
function reach(keys, importsOf, seen = new Set()) {
	for (const key of keys) {
		if (!manifest[key] || seen.has(key)) continue;
		seen.add(key);
		reach(importsOf(key), importsOf, seen);
	}
	return seen;
}

const weights = new Map();
function gzipped(file) {
	const known = weights.get(file) ?? gzipSync(readFileSync(`${KIT}/output/client/${file}`), { level: 9 }).length;
	weights.set(file, known);
	return known;
}
const kilobytes = (files) => Math.round([...new Set(files)].reduce((sum, file) => sum + gzipped(file), 0) / 10) / 100;
const filesOf = (keys) => [...keys].map((key) => manifest[key].file).filter((file) => file.endsWith('.js'));

function sizeOf({ route, nodes }) {
	const roots = [...entries, ...nodes.map(nodeKey)];
	const first = reach(roots, staticImports);
	const later = [...reach(roots, everyImport)].filter((key) => !first.has(key));
	const css = [...first].flatMap((key) => manifest[key].css ?? []);
	const address = route.replace(/\/\([^)]*\)/g, '') || '/';
	return [address, { first: kilobytes(filesOf(first)), later: kilobytes(filesOf(later)), css: kilobytes(css) }];
}

console.log(JSON.stringify(Object.fromEntries(routes().map(sizeOf)), null, '\t'));
