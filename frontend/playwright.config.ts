import { defineConfig, devices } from '@playwright/test';
import { existsSync } from 'node:fs';

/*
 * The browser tests run against real processes: `make e2e` starts a stack of its own and names its address in
 * E2E_BASE_URL. The browser is CHROMIUM, else Debian's, else the one in @sparticuz/chromium when it is installed.
 */
async function findBrowser(): Promise<string> {
	const known = [process.env.CHROMIUM, '/usr/bin/chromium'].find((path) => path && existsSync(path));
	if (known) return known;
	const packaged = '@sparticuz/chromium';
	const chromium = await import(packaged).catch(() => null);
	if (!chromium) throw new Error('No browser found. Install chromium, or name one: CHROMIUM=/path/to/chromium');
	return chromium.default.executablePath();
}

const launchOptions = {
	executablePath: await findBrowser(),
	args: [
		'--no-sandbox',
		'--disable-gpu',
		'--disable-quic',
		'--no-first-run',
		'--disable-background-networking',
		'--disable-component-update',
		'--disable-sync'
	]
};

export default defineConfig({
	testDir: 'e2e',
	outputDir: 'test-results',
	workers: Number(process.env.E2E_WORKERS ?? 2),
	fullyParallel: true,
	forbidOnly: Boolean(process.env.CI),
	retries: process.env.CI ? 1 : 0,
	timeout: 60_000,
	expect: { timeout: 10_000 },
	reporter: [['list']],
	use: {
		baseURL: process.env.E2E_BASE_URL ?? 'http://127.0.0.1:8000',
		launchOptions,
		locale: 'en-GB',
		timezoneId: 'UTC',
		screenshot: 'only-on-failure',
		trace: 'retain-on-failure'
	},
	projects: [
		{ name: 'desktop', use: { viewport: { width: 1440, height: 900 } } },
		{
			name: 'phone',
			use: { ...devices['Pixel 7'], viewport: { width: 390, height: 844 }, defaultBrowserType: 'chromium' }
		}
	]
});
