import { expect, test } from '@playwright/test';
import { expectAccessible } from './axe';
import { call, practise, ready } from './desk';

test('the one line says that all is looked after, and a tap shows every part of it', async ({ page }) => {
	test.setTimeout(120_000);
	await practise(page);
	await (await ready(page)).click();
	const line = page.getByTestId('health');
	await expect(line).toHaveAttribute('data-light', 'green', { timeout: 60_000 });
	await expect(line).toContainText('Connected');
	await line.click();
	const panel = page.getByTestId('health-panel');
	await expect(panel).toContainText('Everything is looked after.');
	await expect(panel.getByRole('listitem').filter({ hasText: '1 trade' })).toContainText(/read \d+ s ago/);
	for (const part of ['Worker', 'Scheduler', 'Watchdog', 'Stream of the venues', 'Look at accounts'])
		await expect(panel.getByRole('listitem').filter({ hasText: part })).toContainText(/\d+ s ago/);
	await expectAccessible(page);
	await page.keyboard.press('Escape');
	await expect(panel).toBeHidden();
	const told = await call<{ accounts: { uncovered: number[] }[] }>(page, 'GET', '/health');
	expect(told.accounts).toHaveLength(1);
	expect(told.accounts[0].uncovered).toEqual([]);
});
