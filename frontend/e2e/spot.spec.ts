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
	await expect(page.getByText('only long', { exact: true })).toBeVisible();
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

test('a spot account at a venue has neither modes nor leverage; where there is no practice money it is said', async ({
	page
}) => {
	const venues = process.env.E2E_VENUES_URL ?? '';
	const key = `coins-${Date.now()}-${process.pid}`;
	const body = JSON.stringify({ key, secret: `secret-of-${key}`, wallet: '10000' });
	await fetch(`${venues}/_control/binance-spot/open_account`, { method: 'POST', body });
	await signUp(page);
	await page.goto('/settings');
	await page.getByRole('button', { name: 'Connect an exchange' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Venue').selectOption('kraken-spot');
	await expect(dialog.getByTestId('no-practice')).toContainText('Kraken spot has no practice money');
	await expect(dialog.getByTestId('real-money')).toBeVisible();
	await expectAccessible(page);

	await dialog.getByLabel('Venue').selectOption('binance-spot');
	await dialog.getByText('Testnet', { exact: true }).click();
	await expect(dialog.getByText('Enable Spot & Margin Trading')).toBeVisible();
	await dialog.getByText('Fees and limits', { exact: true }).click();
	await expect(dialog.getByLabel(/Position mode|Margin mode|Leverage/)).toHaveCount(0);
	await dialog.getByLabel('Name').fill('Coins');
	await dialog.getByLabel('API key').fill(key);
	await dialog.getByLabel('Secret').fill(`secret-of-${key}`);
	await dialog.getByRole('button', { name: 'Check the key and connect' }).click();
	await expect(dialog.getByTestId('connected')).toContainText('10,000.00 USDT', { timeout: 30_000 });
	await dialog.getByRole('button', { name: 'Done' }).click();
	const card = page.getByRole('article', { name: 'Coins' });
	await expect(card).toContainText('Testnet · Binance spot');
	await expect(card).not.toContainText(/mode|Leverage/);
});
