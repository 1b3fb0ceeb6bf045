import { expect, type Page } from '@playwright/test';

export const PASSWORD = 'a quiet harbour at dawn';
let made = 0;

/** Signs a new user up in the browser; the welcome is on screen afterwards. */
export async function signUp(page: Page): Promise<string> {
	const email = `trader-${Date.now()}-${process.pid}-${++made}@example.com`;
	await page.goto('/signup');
	await page.getByLabel('E-mail').fill(email);
	await page.getByLabel('Password').fill(PASSWORD);
	await page.getByRole('button', { name: 'Create account' }).click();
	await page.waitForURL('**/welcome');
	return email;
}

/** A new user on the practice account, in front of the ticket. */
export async function practise(page: Page): Promise<void> {
	await signUp(page);
	await page.getByRole('button', { name: /Practise with/ }).click();
	await page.waitForURL('**/trade');
}

/** One call of the API with the page's own session. */
export async function call<T>(page: Page, method: string, path: string, body?: object): Promise<T> {
	const [status, answer] = await page.evaluate(
		async ([method, path, body]) => {
			const token = /csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? '';
			const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': token };
			const response = await fetch(`/api/v1${path}`, { method, headers, body: body || undefined });
			return [response.status, await response.json().catch(() => null)] as const;
		},
		[method, path, body ? JSON.stringify(body) : ''] as const
	);
	expect(status, `${method} ${path}: ${JSON.stringify(answer)}`).toBeLessThan(300);
	return answer as T;
}

/** The button that opens the trade, once the server has sized it. */
export async function ready(page: Page) {
	const button = page.getByTestId('open-trade');
	await expect(button).toHaveText(/Open (long|short) · risk [\d,.]+/, { timeout: 15_000 });
	await expect(button).toBeEnabled();
	return button;
}
