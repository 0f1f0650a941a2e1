// To whom MAC addresses are assigned: one, many, a name; and how old the data is.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, openPage, violations } from '../lib/browser.mjs';
import { inspect } from '../lib/inspect.mjs';
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

for (const [name, path, ready] of [
	['vendors', '/lookups/mac-oui', 'To whom a MAC address was assigned'],
	['vendor', '/lookups/mac-oui?q=00:00:5e:00:01:0a', 'virtual router 10 (RFC 9568)'],
	['vendor-name', '/lookups/mac-oui?q=raspberry%20pi', 'Raspberry Pi'],
	['vendor-wrong', '/lookups/mac-oui?q=00:1a', "'00:1a' is no MAC address"],
	['sources', '/lookups/sources', '58,483 entries of 2026-08-26, as they came with the program'],
	['resource-mac', '/lookups?q=00:00:0c:12:34:56', 'Cisco Systems, Inc']
]) {
	test(`the page ${path}`, () => inspect(browser, { name, url: `${server.url}${path}`, ready, cookie }));
}

test('many are pasted and asked by keys alone', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/mac-oui`);
	const box = page.getByRole('textbox', { name: 'MAC addresses' });
	await box.fill('00:00:0c:12:34:56\n00:1a\n? (192.0.2.1) at 8:0:27:1:2:3 [ether] on eth0');
	await box.press('Enter');
	const table = page.getByRole('table');
	await table.getByRole('row', { name: /08:00:27:01:02:03 .* VirtualBox/ }).waitFor();
	await table.getByRole('row', { name: /00:00:0c:12:34:56 Cisco Systems, Inc/ }).waitFor();
	await table.getByRole('row', { name: /00:1a .* no MAC address/ }).waitFor();
	assert.deepEqual(await violations(page), []);

	await box.fill('zz:zz');
	await box.press('Enter');
	const wrong = page.getByRole('alert');
	await wrong.getByText('such as 00:00:0c:12:34:56').waitFor();
	assert.ok((await wrong.innerText()).startsWith("'zz:zz' is no MAC address"), await wrong.innerText());

	await box.fill('sony');
	await box.press('Enter');
	await page.getByRole('navigation', { name: 'Pages' }).waitFor();
	assert.ok(page.url().endsWith('/lookups/mac-oui?q=sony'), page.url());
	await page.getByRole('link', { name: 'Next' }).click();
	await page.getByText('Page 2 of').waitFor();
	assert.deepEqual(faults, []);
});
