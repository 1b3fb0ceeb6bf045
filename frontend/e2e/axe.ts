import { expect, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

interface Violation {
	id: string;
	nodes: { target: string[]; failureSummary: string }[];
}
interface Axe {
	run: (options: object) => Promise<{ violations: Violation[] }>;
}

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] };

/** No rule of WCAG 2.2 AA is broken on the page as it stands. */
export async function expectAccessible(page: Page): Promise<void> {
	await page.evaluate(source);
	const { violations } = await page.evaluate((rules) => (window as unknown as { axe: Axe }).axe.run(rules), RULES);
	const told = violations.flatMap(({ id, nodes }) =>
		nodes.map((node) => `${id}: ${node.target} ${node.failureSummary}`)
	);
	expect(told).toEqual([]);
}
