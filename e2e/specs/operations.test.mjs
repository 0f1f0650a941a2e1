// Making, watching, cancelling and repeating operations; and what bad input looks like.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { makeAdmin, startServer } from '../lib/server.mjs';

let server;
let browser;
let cookie;
before(async () => {
	[server, browser] = await Promise.all([startServer(), openBrowser()]);
	cookie = await makeAdmin(server);
});
after(async () => {
	await browser?.close();
	await server?.stop();
});

const typed = async (page, text) => {
	await page.getByRole('button', { name: /^Command bar/ }).waitFor();
	await page.keyboard.press('Control+k');
	await page.getByRole('combobox', { name: 'Command' }).waitFor();
	await page.getByRole('option', { name: /^ping/ }).first().waitFor();
	await page.keyboard.type(text);
};

test('a command runs, streams in, and can be repeated on the same workers', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/`);
	await typed(page, 'ping 127.0.0.1 -c 3 -i 0.2 from netwark.broadcast');
	await page.keyboard.press('Enter');
	const heading = page.getByRole('heading', { level: 1 });
	await heading.getByText('Done').waitFor();
	await page.getByText('3 of 3 answered').waitFor();
	const first = page.url();

	await page.getByText('Raw text').click();
	await page.getByText('3 packets transmitted').waitFor();

	await page.getByRole('button', { name: 'Run again' }).click();
	await page.waitForURL((url) => url.href !== first);
	await page.getByRole('link', { name: 'an earlier run' }).waitFor();
	await heading.getByText('Done').waitFor();

	await page.getByRole('link', { name: 'Edit' }).click();
	await page.getByRole('button', { name: 'Run ping' }).waitFor();
	assert.equal(await page.getByLabel('Count').inputValue(), '3');
	assert.equal(await page.getByLabel('Target').inputValue(), '127.0.0.1');
	await page.getByText('netwark ping 127.0.0.1 -c 3 -i 0.2').waitFor();
	assert.deepEqual(faults, []);
});

test('a long operation is cancelled from its page, and another tab of the browser sees it', async () => {
	const { page, context, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/operations/new?type=ping&target=127.0.0.1`);
	await page.getByLabel('Count').fill('500');
	await page.getByRole('button', { name: 'Run ping' }).click();
	const heading = page.getByRole('heading', { level: 1 });
	await heading.getByText('Running').waitFor();

	const list = await context.newPage();
	await list.goto(`${server.url}/operations`);
	const row = list.getByRole('row').nth(1);
	await row.getByText('Running').waitFor();

	await page.getByRole('button', { name: 'Cancel' }).click();
	await heading.getByText('Cancelled').waitFor();
	await row.getByText('Cancelled').waitFor();
	assert.deepEqual(faults, []);
});

test('a mistake is shown under its word, or at its field', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/`);
	await typed(page, 'ping 127.0.0.1 -f ');
	await page.getByRole('alert').getByText('flood ping is not offered').waitFor();
	await page.keyboard.press('Escape');

	await page.reload();
	await typed(page, 'ping 127.0.0.1 -c 20000');
	await page.keyboard.press('Enter');
	const alert = page.getByRole('alert');
	await alert.getByText('must be at most 10000').waitFor();
	await alert.getByText('20000', { exact: true }).waitFor({ state: 'attached' });
	await page.keyboard.press('Escape');

	await page.goto(`${server.url}/operations/new?type=ping`);
	await page.getByLabel('Count').fill('0');
	await page.getByRole('button', { name: 'Run ping' }).click();
	await page.getByText('Count must be at least 1').waitFor();
	await page.getByLabel('Count').fill('1');
	await page.getByLabel('Target').fill('$(id).org');
	await page.getByRole('button', { name: 'Run ping' }).click();
	await page.getByText(/Target .*cannot hold/).waitFor();
	assert.equal(await page.getByLabel('Target').getAttribute('aria-invalid'), 'true');
	assert.deepEqual(faults, []);
});

test('filters narrow the list, and what does not exist is said plainly', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/operations?target=nowhere.example`);
	await page.getByText('Nothing fits these filters').waitFor();
	await page.goto(`${server.url}/operations/00000000-0000-7000-8000-000000000000`);
	await page.getByRole('link', { name: 'Overview' }).last().waitFor();
	await page.goto(`${server.url}/nothing/here`);
	await page.getByText('There is no such page').first().waitFor();
	// With the ways on that every page has.
	await page.getByRole('navigation').getByRole('link', { name: 'Operations' }).first().waitFor();
	assert.deepEqual(
		faults.filter((fault) => !fault.includes('/nothing/here')),
		[]
	);
});

test('a token is shown once and works until it is revoked', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/tokens`);
	await page.getByLabel('Name').fill('ci');
	await page.getByRole('button', { name: 'Make token' }).click();
	const secret = await page.getByRole('status').locator('code').textContent();
	const ask = () => fetch(`${server.url}/api/v1/workers`, { headers: { Authorization: `Bearer ${secret}` } });
	assert.equal((await ask()).status, 200);
	await page.reload();
	assert.equal(await page.getByText(secret).count(), 0);

	await page.getByRole('button', { name: 'Revoke ci' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
	await page.getByText('No tokens yet').waitFor();
	assert.equal((await ask()).status, 401);
	assert.deepEqual(faults, []);
});
