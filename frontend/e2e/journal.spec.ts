import { expect, test, type Page } from '@playwright/test';
import { expectAccessible } from './axe';
import { call, practise } from './desk';

interface Row {
	id: number;
}
const SYMBOL = 'BTC/USDT:USDT';

/** A call that can place an order: it carries a key of its own. */
async function order<T>(page: Page, path: string, body: object): Promise<T> {
	const answer = await page.evaluate(
		async ([path, body]) => {
			const token = /csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? '';
			const key = String(Math.random());
			const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': token, 'Idempotency-Key': key };
			const response = await fetch(`/api/v1${path}`, { method: 'POST', headers, body });
			return { ok: response.ok, told: await response.json() };
		},
		[path, JSON.stringify(body)] as const
	);
	expect(answer.ok, JSON.stringify(answer.told)).toBe(true);
	return answer.told as T;
}

/** A long of one percent, bought and closed at once on the practice account. */
async function closedTrade(page: Page): Promise<number> {
	const { results } = await call<{ results: Row[] }>(page, 'GET', '/accounts');
	const account = results[0].id;
	const query = new URLSearchParams({ account: String(account), symbol: SYMBOL });
	const { last } = await call<{ last: string }>(page, 'GET', `/instruments/quote?${query}`);
	const at = (factor: number) => String(Math.round(Number(last) * factor));
	const plan = {
		symbol: SYMBOL,
		entries: [{ kind: 'market', share: '1' }],
		stop: { price: at(0.97) },
		take_profits: [{ price: at(1.06), share: '1' }],
		risk: { percent: '1' }
	};
	const trade = await order<Row>(page, '/trades', { account, plan });
	await expect.poll(() => statusOf(page, trade.id)).toBe('open');
	await order(page, `/trades/${trade.id}/close`, { share: '1' });
	await expect.poll(() => statusOf(page, trade.id)).toBe('closed');
	return trade.id;
}

const statusOf = async (page: Page, id: number) =>
	(await call<{ status: string }>(page, 'GET', `/trades/${id}`)).status;

test('a closed trade is in the journal, with its story and the trader’s words', async ({ page }) => {
	await practise(page);
	const trade = await closedTrade(page);
	await page.goto('/journal');
	await page.getByRole('link', { name: 'BTC/USDT' }).filter({ visible: true }).click();
	await page.waitForURL(`**/journal/${trade}`);
	await expect(page.getByText('Closed by hand').first()).toBeVisible();
	await expect(page.getByText(/Entry filled/)).toBeVisible();
	await page.getByRole('tab', { name: 'Orders' }).click();
	await expect(page.getByRole('tabpanel')).toContainText('Stop');

	await page.getByLabel('Notes').fill('Entered too early, left too early.');
	await expect(page.getByText('Saved', { exact: true })).toBeVisible();
	await page.getByLabel('Setup').selectOption('New setup…');
	await page.getByLabel('Name of the new setup').fill('Breakout');
	await page.getByRole('button', { name: 'Add' }).first().click();
	await expect(page.getByLabel('Setup').locator('option:checked')).toHaveText('Breakout');
	await page.getByLabel('Add a tag').fill('impatient');
	await page.getByLabel('Add a tag').press('Enter');
	await expect(page.getByRole('button', { name: 'Remove tag impatient' })).toBeVisible();
	const picture = await page.screenshot();
	await page
		.getByLabel('Screenshot file')
		.setInputFiles({ name: 'chart.png', mimeType: 'image/png', buffer: picture });
	await expect(page.getByAltText('Screenshot of the trade')).toBeVisible();
	await expectAccessible(page);

	await page.reload();
	await expect(page.getByLabel('Notes')).toHaveValue('Entered too early, left too early.');
	await expect(page.getByAltText('Screenshot of the trade')).toBeVisible();
	await page.goto('/journal?q=too+early');
	await expect(page.getByText('impatient').filter({ visible: true })).toBeVisible();
	await expectAccessible(page);
});

test('words typed while the server is away are not lost', async ({ page, context }) => {
	await practise(page);
	const trade = await closedTrade(page);
	await page.goto(`/journal/${trade}`);
	await page.getByLabel('Notes').waitFor();
	await context.setOffline(true);
	await page.getByLabel('Notes').fill('Written in a tunnel.');
	await expect(page.getByText(/kept on this device/)).toBeVisible();
	await context.setOffline(false);
	await expect(page.getByText('Saved', { exact: true })).toBeVisible({ timeout: 15_000 });
	await page.reload();
	await expect(page.getByLabel('Notes')).toHaveValue('Written in a tunnel.');
});

test('the figures follow the close, and a day leads to its trades', async ({ page }) => {
	await practise(page);
	await closedTrade(page);
	await page.goto('/stats');
	await expect(page.getByText('1 closed trade')).toBeVisible();
	await expect(page.getByText('few trades').first()).toBeVisible();
	await expect(page.getByRole('img', { name: /Equity over 1 trade/ })).toBeVisible();
	await expectAccessible(page);
	await page
		.getByRole('region', { name: /20\d\d/ })
		.getByRole('link')
		.click();
	await expect(page).toHaveURL(/\/journal\?from=(\d{4}-\d{2}-\d{2})&to=\1/);
	await expect(page.getByRole('link', { name: 'BTC/USDT' }).filter({ visible: true })).toBeVisible();
});
