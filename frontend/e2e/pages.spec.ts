import { expect, test } from '@playwright/test';
import { expectAccessible } from './axe';
import { practise, signUp } from './desk';

test('an empty journal says how trades get there', async ({ page }) => {
	await practise(page);
	await page.goto('/journal');
	await expect(page.getByText('Your journal is empty')).toBeVisible();
	await expectAccessible(page);
});

test('a part of the page that cannot be fetched says so, with the cure', async ({ page }) => {
	await practise(page);
	await page.route('**/immutable/chunks/*.js', async (route) => {
		const fetched = await route.fetch();
		if ((await fetched.text()).includes('Your journal is empty')) await route.abort();
		else await route.fulfill({ response: fetched });
	});
	await page.goto('/journal');
	await expect(page.getByText('This part of the page could not be fetched')).toBeVisible();
	await expectAccessible(page);
	await page.unroute('**/immutable/chunks/*.js');
	await page.getByRole('button', { name: 'Try again' }).click();
	await expect(page.getByText('Your journal is empty')).toBeVisible();
});

test('filters live in the address and take themselves away', async ({ page }) => {
	await practise(page);
	await page.goto('/journal?result=win&side=long');
	await expect(page.getByText('No trade matches these filters')).toBeVisible();
	await page.getByRole('button', { name: 'Remove filter Wins' }).click();
	await expect(page).toHaveURL(/\/journal\?side=long$/);
});

test('stats without trades promise nothing', async ({ page }) => {
	await practise(page);
	await page.goto('/stats');
	await expect(page.getByText('No figures yet')).toBeVisible();
	await expectAccessible(page);
});

test('the welcome is accessible, and leads to a paper account of one’s own', async ({ page }) => {
	await signUp(page);
	await expectAccessible(page);
	await page.getByRole('link', { name: 'set up a paper account' }).click();
	await page.getByRole('dialog').getByLabel('Name').fill('Laboratory');
	await page.getByRole('button', { name: 'Create account' }).click();
	await expect(page.getByRole('article', { name: 'Laboratory' })).toBeVisible();
	await expect(page.getByText('Paper · simulated prices').first()).toBeVisible();
});

test('an account is halted, resumed and archived', async ({ page }) => {
	await practise(page);
	await page.goto('/settings');
	const card = page.getByRole('article', { name: 'Practice' });
	await card.getByRole('button', { name: 'Halt' }).click();
	await expect(page.getByText('Practice is halted.')).toBeVisible();
	await card.getByRole('button', { name: 'Resume' }).click();
	await expect(card.getByText('Active')).toBeVisible();
	await card.getByRole('button', { name: 'Archive' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Archive' }).click();
	await expect(page.getByText('No exchange account yet').first()).toBeVisible();
});

test('fees are typed in percent, and a wrong one is named beside its field', async ({ page }) => {
	await practise(page);
	await page.goto('/settings');
	await page.getByRole('button', { name: 'Change', exact: true }).click();
	const dialog = page.getByRole('dialog');
	await expect(dialog.getByLabel('Taker fee')).toHaveValue('0.05');
	await dialog.getByLabel('Taker fee').fill('lots');
	await dialog.getByRole('button', { name: 'Save' }).click();
	await expect(dialog.getByLabel('Taker fee')).toHaveAttribute('aria-invalid', 'true');
	await dialog.getByLabel('Taker fee').fill('0.055');
	await dialog.getByRole('button', { name: 'Save' }).click();
	await expect(page.getByText('0.02 % / 0.055 %')).toBeVisible();
});

test('the theme and the time zone are remembered', async ({ page }) => {
	await practise(page);
	await page.goto('/settings');
	await page.getByText('Light', { exact: true }).click();
	await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
	await page.getByLabel('Time zone').selectOption('Asia/Tokyo');
	await expect(page.getByText('Time zone saved')).toBeVisible();
	await page.reload();
	await expect(page.locator('html')).toHaveAttribute('data-theme', 'light');
	await expect(page.getByLabel('Time zone')).toHaveValue('Asia/Tokyo');
	await expectAccessible(page);
});

test('the keyboard moves between pages and shows its shortcuts', async ({ page, isMobile }) => {
	test.skip(isMobile, 'a phone has no keyboard');
	await practise(page);
	for (const [key, path] of Object.entries({ j: '/journal', s: '/stats', p: '/positions', t: '/trade' })) {
		await page.keyboard.press('g');
		await page.keyboard.press(key);
		await expect(page).toHaveURL(new RegExp(`${path}$`));
	}
	await page.keyboard.press('?');
	await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
	await page.keyboard.press('Escape');
	await expect(page.getByRole('dialog')).toBeHidden();
});

test('a lost connection is said in words at once', async ({ page, context }) => {
	await practise(page);
	await expect(page.getByText('Connected', { exact: true })).toBeVisible();
	await context.setOffline(true);
	await expect(page.getByText(/Connection to the server lost/)).toBeVisible();
	await context.setOffline(false);
	await expect(page.getByText('Connected', { exact: true })).toBeVisible();
});

test('an address of nothing says so', async ({ page }) => {
	await practise(page);
	await page.goto('/journal/999999');
	await expect(page.getByText('There is no such trade')).toBeVisible();
	await page.goto('/nowhere');
	await expect(page.getByText('There is nothing at this address')).toBeVisible();
});
