import { expect, test } from '@playwright/test';
import { expectAccessible } from './axe';
import { PASSWORD, signUp } from './desk';

test('a newcomer signs up, out and in again', async ({ page }) => {
	const email = await signUp(page);
	await page.getByRole('button', { name: 'Practise with 10,000 USDT' }).click();
	await page.waitForURL('**/trade');
	await page.goto('/settings');
	await page.getByRole('button', { name: 'Sign out' }).click();
	await page.waitForURL('**/signin');

	await page.getByLabel('E-mail').fill(email);
	await page.getByLabel('Password').fill(PASSWORD);
	await page.getByRole('button', { name: 'Sign in' }).click();
	await page.waitForURL('**/trade');
	await expect(page.getByText('Paper · simulated prices').first()).toBeVisible();
});

test('a wrong password is told in words, and the form keeps the address', async ({ page }) => {
	await page.goto('/signin');
	await page.getByLabel('E-mail').fill('nobody@example.com');
	await page.getByLabel('Password').fill('not the right one');
	await page.getByRole('button', { name: 'Sign in' }).click();
	await expect(page.getByText(/not correct|incorrect|wrong/i)).toBeVisible();
	await expect(page.getByLabel('E-mail')).toHaveValue('nobody@example.com');
});

test('a weak password is refused beside its field', async ({ page }) => {
	await page.goto('/signup');
	await page.getByLabel('E-mail').fill(`weak-${Date.now()}@example.com`);
	await page.getByLabel('Password').fill('qwerty123456');
	await page.getByRole('button', { name: 'Create account' }).click();
	await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
});

test('a stranger is asked to sign in, and comes back to where they wanted to go', async ({ page }) => {
	await page.goto('/stats');
	await expect(page).toHaveURL(/\/signin\?next=%2Fstats/);
});

test('the door is accessible in both themes', async ({ page }) => {
	for (const theme of ['dark', 'light']) {
		for (const path of ['/signin', '/signup']) {
			await page.goto(path);
			await page.evaluate((name) => localStorage.setItem('theme', name), theme);
			await page.reload();
			await page.getByLabel('E-mail').waitFor();
			await expectAccessible(page);
		}
	}
});
