import { expect, test } from '@playwright/test';
import { expectAccessible } from './axe';
import { ready, signUp } from './desk';

test('coins are bought with two targets, each resting in a pair with its stop, and sold again', async ({ page }) => {
	await signUp(page);
	await page.goto('/settings?new=account');
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Name').fill('Coins');
	await dialog.getByLabel('Market').selectOption('binance-spot');
	await expect(dialog.getByLabel('Taker fee')).toHaveValue('0.1');
	await expect(dialog.getByLabel('Leverage')).toHaveCount(0);
	await dialog.getByRole('button', { name: 'Create account' }).click();
	await expect(page.getByRole('article', { name: 'Coins' })).not.toContainText('Leverage');

	await page.getByRole('link', { name: 'Trade' }).click();
	await ready(page);
	await expect(page.getByText('spot: only long')).toBeVisible();
	await expect(page.getByRole('button', { name: /Flip/ })).toHaveCount(0);
	await expect(page.getByLabel('Leverage')).toHaveCount(0);
	await page.getByRole('button', { name: '1·3R', exact: true }).click();
	const open = await ready(page);
	await expect(page.getByTestId('cost')).toHaveText(/Costs [\d,.]+ USDT of 10,000.00 free/);
	await expect(page.getByTestId('sizing')).toHaveAttribute('aria-busy', 'false');
	await expectAccessible(page);
	await open.click();

	const position = page.getByTestId('position');
	await expect(position.getByTestId('protected')).toHaveAttribute('data-state', 'protected', { timeout: 15_000 });
	await expect(position).toContainText('0 of 2 targets filled');
	await expect(position).toContainText(/spot\s+[\d.]+ BTC @ [\d,.]+\s/);
	await page.goto('/positions');
	await position.getByRole('button', { name: 'Close', exact: true }).click();
	await expect(page.getByRole('dialog')).toContainText('will be sold at the market price');
	await page.getByRole('button', { name: 'Close position' }).click();
	await expect(position).toHaveCount(0, { timeout: 15_000 });

	await page.goto('/journal');
	await page.getByRole('link', { name: 'BTC/USDT' }).filter({ visible: true }).click();
	await expect(page.getByText('Closed by hand').first()).toBeVisible();
	await page.getByRole('tab', { name: 'Orders' }).click();
	await expect(page.getByRole('tabpanel').getByText('Stop or TP2')).toBeVisible();
	await expectAccessible(page);
});
