// Everything known about anything: the page, the short answers, the command bar, and older addresses of pages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, openPage, violations } from '../lib/browser.mjs';
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

const box = (page) => page.getByRole('textbox', { name: /Address, prefix, name/ });

/** Pings this machine and leads to what came out. */
async function measured(page) {
	await page.goto(`${server.url}/lookups?q=127.0.0.1`);
	await page.getByRole('button', { name: 'Ping', exact: true }).click();
	await page.getByRole('heading', { name: /ping 127\.0\.0\.1/ }).waitFor();
}

test('one box takes anything, and says what is nothing', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups`);
	await box(page).fill('  https://10.1.2.3:8443/x ');
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: '10.1.2.3' }).waitFor();
	await page.getByRole('region', { name: 'Special purpose' }).getByText('Private-Use').waitFor();
	assert.ok(
		page.url().endsWith(`/lookups?q=${encodeURIComponent('https://10.1.2.3:8443/x').replaceAll('%20', '+')}`)
	);
	await box(page).fill('192.0.2.0/33');
	await page.keyboard.press('Enter');
	await page.getByRole('alert').getByText('no prefix length from 0 to 32').waitFor();
	await page.goBack();
	await page.getByRole('heading', { name: '10.1.2.3' }).waitFor();
	assert.deepEqual(faults, []);
});

test('what is looked up can be measured at once', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await measured(page);
	await page.goto(`${server.url}/lookups?q=example.org`);
	await page.getByRole('link', { name: 'Trace it from chosen workers' }).click();
	await page.getByRole('heading', { name: 'New operation' }).waitFor();
	assert.equal(await page.getByLabel('Target').inputValue(), 'example.org');
	assert.deepEqual(faults, []);
});

test('an address on a page tells more by pointer, by keys and by touch', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	const asked = [];
	page.on('request', (request) => request.url().includes('/lookup?') && asked.push(request.url()));
	await measured(page);
	const card = page.getByRole('group', { name: 'What is known of 127.0.0.1' });
	const anchor = page.getByRole('heading').getByRole('link', { name: '127.0.0.1' });
	asked.length = 0;
	await anchor.hover();
	await card.getByText('Loopback').waitFor();
	assert.equal(asked.length, 1);
	assert.deepEqual(await violations(page), []);
	await card.hover();
	await page.keyboard.press('Escape');
	await card.waitFor({ state: 'detached' });

	await page.getByRole('heading', { level: 1 }).focus();
	await page.keyboard.press('Tab');
	// The pointer wanders meanwhile, over nothing.
	await page.mouse.move(5, 5);
	await page.mouse.move(8, 8);
	await card.getByText('Loopback').waitFor();
	assert.equal(asked.length, 1, 'what was told before is not asked again');
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: '127.0.0.1' }).waitFor();
	await card.waitFor({ state: 'detached' });
	await page.waitForURL((url) => url.href.endsWith('/lookups?q=127.0.0.1'));
	assert.deepEqual(faults, []);

	const phone = await openPage(browser, { cookie, screen: 'phone' });
	await phone.page.goto(`${server.url}/operations`);
	await phone.page.getByText('127.0.0.1').first().tap();
	await phone.page.getByRole('group', { name: 'What is known of 127.0.0.1' }).getByText('Loopback').waitFor();
	assert.ok(phone.page.url().endsWith('/operations'));
	await phone.page.getByRole('link', { name: 'Everything known' }).tap();
	await phone.page.getByRole('heading', { name: '127.0.0.1' }).waitFor();
	assert.deepEqual(phone.faults, []);
});

test('the command bar looks up what is typed alone', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/`);
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	await page.keyboard.press('Control+k');
	await page.getByRole('combobox', { name: 'Command' }).fill('2001:db8::1 ');
	await page.getByRole('option', { name: /Look up 2001:db8::1/ }).waitFor();
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: '2001:db8::1' }).waitFor();
	assert.deepEqual(faults, []);
});

test('older addresses of pages lead to the new ones', async () => {
	const { page } = await openPage(browser, { cookie });
	for (const [old, expected] of [
		['/tools/whois/10.0.0.0/8', /\/lookups(\/whois)?\?q=10\.0\.0\.0%2F8$/],
		['/tools/ipcalc', /\/lookups(\/ip-calc)?$/],
		['/tools/mac-oui', /\/lookups(\/mac-oui)?$/]
	]) {
		await page.goto(server.url + old);
		await page.waitForURL(expected);
	}
	await page.goto(`${server.url}/tools/shoes`);
	await page.getByText('There is no such page').first().waitFor();
});
