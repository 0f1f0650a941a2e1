// From the printed link to the first live numbers, as a newcomer goes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { PASSWORD, startServer } from '../lib/server.mjs';

let server;
let browser;
before(async () => {
	[server, browser] = await Promise.all([startServer(), openBrowser()]);
});
after(async () => {
	await browser?.close();
	await server?.stop();
});

test('the set-up link makes the first administrator, who pings and traces at once', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(`${server.url}/`);
	await page.getByRole('heading', { name: 'Make the first administrator' }).waitFor();

	await page.goto('about:blank');
	await page.goto(server.setupLink);
	// The first field has the focus, once the page has asked whether the link is still good.
	await page.waitForFunction(() => document.activeElement?.getAttribute('autocomplete') === 'username');
	await page.getByLabel('Password').fill('short');
	await page.getByLabel('Password').fill(PASSWORD);
	await page.getByRole('button', { name: 'Show what is typed' }).click();
	assert.equal(await page.getByLabel('Password').getAttribute('type'), 'text');
	await page.getByRole('button', { name: 'Begin' }).click();
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	assert.equal(page.url(), `${server.url}/`, 'the code must not stay in the address bar');

	await page.getByRole('button', { name: 'Ping 127.0.0.1' }).click();
	await page.getByRole('heading', { name: /ping\s+127\.0\.0\.1/ }).waitFor();
	await page.getByRole('img', { name: /Round trips/ }).waitFor();
	await page.getByRole('status').filter({ hasText: 'Live' }).first().waitFor();

	await page.goto(`${server.url}/`);
	await page.getByRole('button', { name: 'Trace 127.0.0.1' }).click();
	await page
		.getByRole('region', { name: /^Hops from/ })
		.getByText('127.0.0.1')
		.waitFor();
	await page
		.getByRole('region', { name: 'Ways to the target' })
		.getByRole('button', { name: /target 127\.0\.0\.1/ })
		.waitFor();
	assert.deepEqual(faults, []);
});

test('the link works once; then names and passwords do', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(server.setupLink);
	await page.getByRole('heading', { name: 'This installation is set up' }).waitFor();

	await page.goto(`${server.url}/workers`);
	await page.getByRole('heading', { name: 'Sign in' }).waitFor();
	await page.getByLabel('Name').fill('admin');
	await page.getByLabel('Password').fill('not this one');
	await page.getByRole('button', { name: 'Sign in' }).click();
	await page.getByRole('alert').waitFor();

	await page.getByLabel('Password').fill(PASSWORD);
	await page.getByRole('button', { name: 'Sign in' }).click();
	await page.getByRole('heading', { name: 'Workers' }).waitFor();
	assert.equal(
		new URL(page.url()).pathname,
		'/workers',
		'signing in leads back to the page that was asked for'
	);

	await page.getByRole('button', { name: 'Sign out' }).first().click();
	await page.getByRole('heading', { name: 'Sign in' }).waitFor();
	assert.deepEqual(faults, []);
});
