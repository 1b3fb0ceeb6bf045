import { expect, test } from '@playwright/test';
import { expectAccessible } from './axe';
import { practise, ready } from './desk';

test('a newcomer opens a sized, laddered, protected trade with one press', async ({ page }) => {
	await practise(page);
	const open = await ready(page);
	await expect(page.getByTestId('side')).toContainText('LONG');
	await expect(page.getByLabel('TP3 value')).toHaveValue('3');
	await open.click();
	const position = page.getByTestId('position');
	await expect(position).toHaveCount(1);
	await expect(position.getByTestId('protected')).toHaveAttribute('data-state', 'protected', { timeout: 15_000 });
	await expect(position).toContainText('0 of 3 targets filled');
	await expect(position.getByTestId('pnl')).toHaveText(/[+−]?[\d,.]+/);
});

test('Shift and Enter send the plan from anywhere on the page', async ({ page }) => {
	await practise(page);
	await ready(page);
	await page.keyboard.press('Shift+Enter');
	await expect(page.getByTestId('position')).toHaveCount(1);
});

test('the side follows the stop, and flips as a whole', async ({ page }) => {
	await practise(page);
	await ready(page);
	await page.getByRole('button', { name: 'Flip to short' }).click();
	await expect(page.getByTestId('side')).toContainText('SHORT');
	await expect(page.getByTestId('open-trade')).toHaveText(/Open short/);
});

test('every fault stands at its field and nothing can be sent', async ({ page }) => {
	await practise(page);
	await ready(page);
	await page.getByLabel('TP1 unit').selectOption('price');
	await page.getByLabel('TP1 value').fill('1');
	await page.getByLabel('Stop', { exact: true }).fill('none');
	await expect(page.getByLabel('Stop', { exact: true })).toHaveAttribute('aria-invalid', 'true');
	await expect(page.getByTestId('open-trade')).toBeDisabled();
});

test('a denial is listed with its cure before anything is sent', async ({ page }) => {
	await practise(page);
	await ready(page);
	await page.getByLabel('Risk', { exact: true }).and(page.getByRole('textbox')).fill('50');
	await expect(page.getByTestId('denials')).toBeVisible();
	await expect(page.getByTestId('open-trade')).toBeDisabled();
});

test('a trigger that the price has passed already is warned about, and may still be sent', async ({ page }) => {
	await practise(page);
	await ready(page);
	await page.getByText('Trigger', { exact: true }).click();
	const trigger = page.getByLabel('Trigger', { exact: true }).and(page.getByRole('textbox'));
	const price = Number(await trigger.inputValue());
	await page.getByLabel('Stop', { exact: true }).fill(String(Math.round(price * 0.98)));
	await trigger.fill(String(Math.round(price * 0.99)));
	await expect(page.getByTestId('warnings')).toContainText('this entry goes in at market at once');
	await ready(page);
	await expectAccessible(page);
	await trigger.fill(String(Math.round(price * 1.01)));
	await expect(page.getByTestId('warnings')).toHaveCount(0);
});

test('a tick never overwrites what is being typed', async ({ page }) => {
	await practise(page);
	await ready(page);
	const stop = page.getByLabel('Stop', { exact: true });
	await stop.fill('50123.4');
	const before = await page.getByTestId('last-price').textContent();
	await expect(page.getByTestId('last-price')).not.toHaveText(before ?? '', { timeout: 15_000 });
	await expect(stop).toHaveValue('50123.4');
});

test('the buttons on the chart lie above it', async ({ page }) => {
	await practise(page);
	for (const name of ['Zoom in', 'Zoom out', 'Latest']) await page.getByRole('button', { name }).click();
});

test('another market is two presses away', async ({ page }) => {
	await practise(page);
	await ready(page);
	await page.getByRole('button', { name: /Choose another market/ }).click();
	await page.getByLabel('Search markets').fill('ETH');
	await page.keyboard.press('Enter'); // at once: before the list has caught up with what was typed
	await expect(page).toHaveURL(/symbol=ETH/);
	await ready(page);
});

test('a waiting entry says when it will be withdrawn', async ({ page }) => {
	await practise(page);
	await ready(page);
	await page.getByText('Limit', { exact: true }).click();
	const entry = page.getByLabel('Entry', { exact: true });
	const price = Number(await entry.inputValue());
	await entry.fill(String(Math.round(price * 0.995)));
	await page.getByLabel('Stop', { exact: true }).fill(String(Math.round(price * 0.98)));
	await page.getByLabel('Withdraw at target').selectOption('1');
	await (await ready(page)).click();
	const position = page.getByTestId('position');
	await expect(position).toContainText('pending');
	await expect(position).toContainText('runs to TP1');
	await position.getByRole('button', { name: 'Cancel entry' }).click();
	await expect(position).toHaveCount(0);
});

test('the desk is accessible in both themes, with faults and denials on it', async ({ page }) => {
	await practise(page);
	await ready(page);
	await page.getByLabel('Risk', { exact: true }).and(page.getByRole('textbox')).fill('50');
	await expect(page.getByTestId('denials')).toBeVisible();
	for (const theme of ['dark', 'light']) {
		await page.evaluate((name) => (document.documentElement.dataset.theme = name), theme);
		await page.waitForTimeout(300);
		await expectAccessible(page);
	}
});

test('a lost connection is said at once, and the draft stays', async ({ page, context }) => {
	await practise(page);
	await ready(page);
	const stop = page.getByLabel('Stop', { exact: true });
	await stop.fill('40000');
	await context.setOffline(true);
	await expect(page.getByText(/offline|connection/i).first()).toBeVisible();
	await stop.fill('41000');
	await expect(page.getByText('The plan could not be checked.')).toBeVisible();
	await context.setOffline(false);
	await expect(page.getByText('The plan could not be checked.')).toBeHidden({ timeout: 20_000 });
	await expect(stop).toHaveValue('41000');
});
