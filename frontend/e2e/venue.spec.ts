import { expect, test, type Page } from '@playwright/test';
import { expectAccessible } from './axe';
import { PASSWORD, ready, signUp } from './desk';

/*
 * Against the stand-in venues that the temporary stack runs beside it (E2E_VENUES_URL): the product signs, asks and
 * trades as it would at the venue itself.
 */
const VENUES = process.env.E2E_VENUES_URL ?? '';
let made = 0;

/** What the trader or an accident does at the venue. */
async function at<T>(venue: string, operation: string, body: object): Promise<T> {
	const answer = await fetch(`${VENUES}/_control/${venue}/${operation}`, {
		method: 'POST',
		body: JSON.stringify(body)
	});
	const told = (await answer.json()) as { result: T };
	expect(answer.ok, `${operation}: ${JSON.stringify(told)}`).toBe(true);
	return told.result;
}

/** An account of its own at a venue: two tests never share a key. */
async function keyAt(venue: string): Promise<{ key: string; secret: string }> {
	const key = `e2e-${Date.now()}-${process.pid}-${++made}`;
	await at(venue, 'open_account', { key, secret: `secret-of-${key}`, wallet: '10000' });
	return { key, secret: `secret-of-${key}` };
}

async function dialogFor(page: Page, venue: string, name: string) {
	await page.goto('/settings');
	await page.getByRole('button', { name: 'Connect an exchange' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Venue').selectOption(venue);
	await dialog.getByLabel('Name').fill(name);
	return dialog;
}
type Dialog = Awaited<ReturnType<typeof dialogFor>>;

async function give(dialog: Dialog, { key, secret }: { key: string; secret: string }) {
	await dialog.getByLabel('API key').fill(key);
	await dialog.getByLabel('Secret').fill(secret);
	await dialog.getByRole('button', { name: 'Check the key and connect' }).click();
}

test.beforeEach(async ({ page }) => {
	test.setTimeout(120_000);
	await signUp(page);
});

test('a testnet account is connected, and a trade on it opened, protected and closed', async ({ page }) => {
	const keys = await keyAt('binance');
	const dialog = await dialogFor(page, 'binance', 'Rehearsal');
	await expect(dialog.getByText('A key that may withdraw is refused here.')).toBeVisible();
	await expectAccessible(page);
	await give(dialog, keys);
	const connected = dialog.getByTestId('connected');
	await expect(connected).toContainText('10,000.00 USDT', { timeout: 30_000 });
	await expect(connected).toContainText('Cannot tell whether it can withdraw');
	await expectAccessible(page);
	await dialog.getByRole('button', { name: 'Trade on it' }).click();
	await page.waitForURL('**/trade');
	await expect(page.getByRole('banner').getByText('Testnet · Binance')).toBeVisible();

	await (await ready(page)).click();
	const position = page.getByTestId('position');
	await expect(position.getByTestId('protected')).toHaveAttribute('data-state', 'protected', { timeout: 30_000 });
	const { conditional } = await at<{ conditional: { wish: { reduce_only: boolean } }[] }>('binance', 'books', {
		key: keys.key
	});
	expect(conditional.length).toBeGreaterThan(0);
	await page.goto('/positions');
	await position.getByRole('button', { name: 'Close', exact: true }).click();
	await page.getByRole('button', { name: 'Close position' }).click();
	await expect(position).toHaveCount(0, { timeout: 30_000 });
	const { positions } = await at<{ positions: unknown[] }>('binance', 'books', { key: keys.key });
	expect(positions).toEqual([]);
});

test('a new account proves that an order can be placed, seen and cancelled', async ({ page }) => {
	const keys = await keyAt('binance');
	const dialog = await dialogFor(page, 'binance', 'Proof');
	await give(dialog, keys);
	await expect(dialog.getByTestId('connected')).toBeVisible({ timeout: 30_000 });
	await page.keyboard.press('Escape');
	const proof = page.getByTestId('proof');
	await expect(async () => {
		await page.goto('/settings');
		await expect(proof).toContainText(/Proved \d+ s ago: an order was placed, seen and cancelled/, {
			timeout: 5_000
		});
	}).toPass({ timeout: 90_000 });
	await expectAccessible(page);
	const { conditional } = await at<{ conditional: { status: string }[] }>('binance', 'books', { key: keys.key });
	expect(conditional.map(({ status }) => status)).not.toContain('NEW');
});

test('a key that may withdraw is refused with its cure; without that right real money takes a sentence and a password', async ({
	page
}) => {
	const keys = await keyAt('binance');
	await at('binance', 'change_key', { key: keys.key, can_withdraw: true });
	const dialog = await dialogFor(page, 'binance', 'Main');
	await dialog.getByText('LIVE', { exact: true }).click();
	await dialog.getByLabel('The sentence, to the letter').fill('I trade with real money on Main');
	await give(dialog, keys);
	// Who has only just signed up has not signed in yet.
	await dialog.getByLabel('Your password here').fill('not my password at all');
	await dialog.getByRole('button', { name: 'Check the key and connect' }).click();
	await expect(dialog.getByLabel('Your password here')).toHaveAttribute('aria-invalid', 'true');
	await expectAccessible(page);
	await dialog.getByLabel('Your password here').fill(PASSWORD);
	await dialog.getByRole('button', { name: 'Check the key and connect' }).click();
	await expect(dialog.getByTestId('refusal')).toContainText('This key may withdraw money', { timeout: 30_000 });
	await expect(dialog.getByTestId('refusal')).toContainText('Make a key without that right at Binance');
	await expectAccessible(page);

	await at('binance', 'change_key', { key: keys.key, can_withdraw: false });
	await dialog.getByRole('button', { name: 'Check the key and connect' }).click();
	await expect(dialog.getByTestId('connected')).toContainText('Cannot withdraw', { timeout: 30_000 });
	await dialog.getByRole('button', { name: 'Done' }).click();
	await expect(page.getByRole('banner').getByText('LIVE · Binance')).toBeVisible();

	const card = page.getByRole('article', { name: 'Main' });
	await expect(card.getByText('Can trade')).toBeVisible();
	await card.getByRole('button', { name: 'Halt' }).click();
	await expect(page.getByText('Main is halted.')).toBeVisible();
	await card.getByRole('button', { name: 'Resume' }).click();
	await page.getByLabel('The sentence, to the letter').fill('I trade with real money on Main');
	await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
	await expect(card.getByText('Active')).toBeVisible();
	await expectAccessible(page);
});

test('a refused key is the loudest thing on every page, and another one ends it', async ({ page }) => {
	const keys = await keyAt('binance');
	await give(await dialogFor(page, 'binance', 'Rehearsal'), keys);
	await page.getByRole('button', { name: 'Trade on it' }).click({ timeout: 30_000 });
	await (await ready(page)).click();
	await expect(page.getByTestId('protected')).toHaveAttribute('data-state', 'protected', { timeout: 30_000 });

	await at('binance', 'change_key', { key: keys.key, active: false });
	await page.goto('/stats');
	const trouble = page.getByTestId('trouble').filter({ hasText: 'does not accept the key of Rehearsal' });
	await expect(trouble).toBeVisible({ timeout: 60_000 });
	await expect(trouble.getByTestId('last-known')).toContainText(/BTC\/USDT\s+long\s+[\s\S]* stop resting at/);
	await expectAccessible(page);

	const another = `${keys.key}-again`;
	await at('binance', 'add_key', { key: another, secret: 'another secret', of: keys.key });
	await trouble.getByRole('link', { name: 'Save another key' }).click();
	await page.getByRole('button', { name: 'Replace the key' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('API key').fill(another);
	await dialog.getByLabel('Secret').fill('another secret');
	await dialog.getByRole('button', { name: 'Check and replace' }).click();
	await expect(page.getByText('The new key is in use')).toBeVisible({ timeout: 30_000 });
	await expect(trouble).toHaveCount(0);
});

test('where real money is switched off, the desk says who can change that', async ({ page }) => {
	await page.route('**/api/v1/venues', async (route) => {
		const answer = await route.fetch();
		await route.fulfill({ response: answer, json: { ...(await answer.json()), live_trading: false } });
	});
	const dialog = await dialogFor(page, 'binance', 'Main');
	await dialog.getByText('LIVE', { exact: true }).click();
	await expect(dialog.getByTestId('live-off')).toContainText('LIVE_TRADING=true');
	await expect(dialog.getByRole('button', { name: 'Check the key and connect' })).toBeDisabled();
	await expectAccessible(page);
});

test('a position that is not ours is shown, denies entries, and becomes a trade when it is adopted', async ({
	page
}) => {
	const keys = await keyAt('binance');
	await give(await dialogFor(page, 'binance', 'Rehearsal'), keys);
	await page.getByRole('button', { name: 'Trade on it' }).click({ timeout: 30_000 });
	await ready(page);
	await at('binance', 'place', { key: keys.key, symbol: 'BTC/USDT:USDT', side: 'buy', quantity: '0.05' });
	await expect(page.getByTestId('denials')).toContainText('Adopt it, ignore it or close it first', {
		timeout: 30_000
	});

	await page.goto('/positions');
	const foreign = page.getByTestId('foreign');
	await expect(foreign).toContainText('0.05 @');
	await expectAccessible(page);
	await foreign.getByRole('button', { name: 'Ignore' }).click();
	await expect(foreign).toContainText('left to your own hand');
	await foreign.getByRole('button', { name: 'Adopt' }).click();
	const dialog = page.getByRole('dialog');
	await dialog.getByLabel('Stop').fill('999999');
	await dialog.getByRole('button', { name: 'Adopt and protect' }).click();
	await expect(dialog.getByLabel('Stop')).toHaveAttribute('aria-invalid', 'true');
	await expectAccessible(page);
	const { last } = await at<{ last: string }>('binance', 'price', { symbol: 'BTC/USDT:USDT' });
	await dialog.getByLabel('Stop').fill(String(Math.round(Number(last) * 0.95)));
	await dialog.getByRole('button', { name: 'Adopt and protect' }).click();
	await expect(page.getByTestId('protected')).toHaveAttribute('data-state', 'protected', { timeout: 30_000 });
	await expect(foreign).toHaveCount(0);
});

test('a position that is not ours and is not listed any more says so, and waits', async ({ page }) => {
	const keys = await keyAt('binance');
	await give(await dialogFor(page, 'binance', 'Rehearsal'), keys);
	await page.getByRole('button', { name: 'Trade on it' }).click({ timeout: 30_000 });
	await ready(page);
	await at('binance', 'place', { key: keys.key, symbol: 'BTC/USDT:USDT', side: 'buy', quantity: '0.05' });
	await page.goto('/positions');
	const foreign = page.getByTestId('foreign');
	await expect(foreign.getByRole('button', { name: 'Adopt' })).toBeEnabled({ timeout: 40_000 });
	await page.route('**/foreign-positions*', async (route) => {
		const response = await route.fetch();
		const { results, ...more } = await response.json();
		const missed = results.map((one: object) => ({ ...one, missed_since: '2026-01-15T12:00:00.000Z' }));
		await route.fulfill({ response, json: { ...more, results: missed } });
	});
	await page.reload();
	await expect(foreign).toContainText('Not listed by the exchange since');
	await expect(foreign.getByRole('button', { name: 'Adopt' })).toBeDisabled();
	await expectAccessible(page);
});
