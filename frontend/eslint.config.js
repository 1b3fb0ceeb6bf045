import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import svelte from 'eslint-plugin-svelte';
import { defineConfig, includeIgnoreFile } from 'eslint/config';
import globals from 'globals';
import path from 'node:path';
import ts from 'typescript-eslint';

/** Forbids imports whose address matches any of the patterns, and says why. */
const never = (...patterns) => ({ '@typescript-eslint/no-restricted-imports': ['error', { patterns }] });

const routes = { group: ['**/routes/**', '$app/routes/*'], message: 'lib never imports routes.' };
const ours = { group: ['$lib', '$lib/**', '../**'], message: 'ui imports nothing of ours: give it props.' };
const calls = {
	group: ['$lib/api', '$lib/api/*', '$lib/state', '$lib/state/*', '../api/*', '../state/*'],
	// Props need shapes: naming a type is not a call.
	allowTypeImports: true,
	message: 'trading and charts get their data as props.'
};
const sibling = {
	regex: '^(\\.\\./)+[^./][^/]*/',
	message: 'A route keeps its own parts; what two routes share lives in lib.'
};

export default defineConfig(
	includeIgnoreFile(path.resolve(import.meta.dirname, '.gitignore')),
	{ ignores: ['src/lib/api/schema.d.ts', 'static/'] },
	js.configs.recommended,
	ts.configs.recommended,
	svelte.configs.recommended,
	prettier,
	svelte.configs.prettier,
	{
		languageOptions: { globals: { ...globals.browser, ...globals.node } },
		rules: {
			// TypeScript itself finds undefined names.
			'no-undef': 'off',
			'no-restricted-syntax': [
				'error',
				{
					selector: "CallExpression[callee.property.name='toFixed']",
					message: 'Only format.ts turns numbers into text.'
				},
				{
					selector: "MemberExpression[object.name='Intl']",
					message: 'Only format.ts uses Intl.'
				},
				{
					selector: 'CallExpression[callee.property.name=/^toLocale(Date|Time)?String$/]',
					message: 'Only format.ts turns numbers and times into text.'
				}
			],
			// The address space is flat and static: plain paths are clearer than resolve('/…') everywhere.
			'svelte/no-navigation-without-resolve': 'off',
			// Plain maps and sets are right where nothing on screen reads them.
			'svelte/prefer-svelte-reactivity': 'off'
		}
	},
	{
		files: ['**/*.svelte', '**/*.svelte.ts'],
		languageOptions: {
			parserOptions: {
				projectService: true,
				extraFileExtensions: ['.svelte'],
				parser: ts.parser
			}
		}
	},
	{ files: ['src/lib/**'], rules: never(routes) },
	{ files: ['src/lib/ui/**'], rules: never(routes, ours) },
	{ files: ['src/lib/trading/**', 'src/lib/charts/**'], rules: never(routes, calls) },
	{ files: ['src/routes/**'], rules: never(sibling) },
	{ files: ['src/lib/format.ts', 'e2e/**', '**/*.test.ts'], rules: { 'no-restricted-syntax': 'off' } }
);
