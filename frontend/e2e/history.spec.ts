import { expect, test } from '@playwright/test';
import { practise } from './desk';

/** As on a trader's own machine: pages that were left are kept, to be shown again at once. */
test.use({
	launchOptions: async ({ launchOptions }, use) =>
		use({ ...launchOptions, ignoreDefaultArgs: ['--disable-back-forward-cache'] })
});

test('pages that were left hold no connection: however often the desk is opened, it answers', async ({
	page,
	isMobile
}) => {
	test.skip(isMobile, 'what the browser keeps is the same on a phone');
	await practise(page);
	for (const path of ['positions', 'journal', 'stats', 'settings', 'trade', 'journal', 'stats']) {
		await page.goto(`/${path}`);
		await expect(page.getByText('Connected', { exact: true })).toBeVisible();
	}
	await page.goBack({ waitUntil: 'commit' }); // what was kept does not load again
	await expect(page.getByText('Your journal is empty')).toBeVisible();
	await expect(page.getByText('Connected', { exact: true })).toBeVisible();
});
