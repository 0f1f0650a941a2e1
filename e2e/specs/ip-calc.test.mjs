// The IP calculator: an answer while typing, a network cut, a list summarised, by eye and by keys.
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

for (const [name, query, ready] of [
	['ip-calc', '', 'Nothing asked yet'],
	['ip-calc-v4', '?q=192.0.2.77/26', '192.0.2.64/27'],
	['ip-calc-v6', '?q=2001:db8::5eff:fe00:5301/50', '2001:db8::/51'],
	['ip-calc-range', '?q=192.0.2.1-192.0.2.6', '192.0.2.2/31'],
	['ip-calc-wrong', '?q=192.0.2.300', 'must be an address']
]) {
	const url = () => `${server.url}/lookups/ip-calc${query}`;
	test(`the page with ${query || 'nothing'}`, () => inspect(browser, { name, url: url(), ready, cookie }));
}

test('an answer while typing, and a link to it', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/ip-calc`);
	const box = page.getByRole('searchbox', { name: 'Address, network or range' });
	await box.pressSequentially('10.1.2.3/20');
	await page.getByText('10.1.0.0/20').first().waitFor();
	await page.waitForURL(/\?q=10\.1\.2\.3%2F20$/);
	await page.getByRole('img', { name: '20 bits of network, 12 bits of host' }).waitFor();

	await page.getByRole('slider', { name: 'Prefix length' }).press('ArrowRight');
	await page.getByRole('img', { name: '21 bits of network, 11 bits of host' }).waitFor();
	assert.equal(await box.inputValue(), '10.1.2.3/21');
	await page.getByRole('link', { name: 'Next' }).click();
	await page.getByRole('region', { name: '10.1.8.0/21', exact: true }).waitFor();
	assert.equal(await box.inputValue(), '10.1.8.0/21');

	const everything = await page.getByRole('link', { name: 'Look up 10.1.8.0' }).getAttribute('href');
	assert.match(everything, /\/lookups\?q=10\.1\.8\.0$/);

	await box.fill('10.1.2.3/33');
	await page.getByText('must have a prefix length from 0 to 32').waitFor();
	assert.deepEqual(await violations(page), []);
	assert.deepEqual(faults, []);
});

test('a late answer does not overwrite a later one', async () => {
	const { page } = await openPage(browser, { cookie });
	let release;
	const held = new Promise((resolve) => (release = resolve));
	await page.route(/ip-calc\?q=10\.0\.0\.0/, async (route) => {
		await held;
		await route.continue().catch(() => {});
	});
	await page.goto(`${server.url}/lookups/ip-calc`);
	const box = page.getByRole('searchbox', { name: 'Address, network or range' });
	const slow = page.waitForRequest(/ip-calc\?q=10\.0\.0\.0/);
	await box.fill('10.0.0.0/8');
	await slow;
	await box.fill('192.0.2.0/25');
	await page.getByText('192.0.2.127').first().waitFor();
	const late = page.waitForResponse(/ip-calc\?q=10\.0\.0\.0/);
	release();
	await late;
	assert.equal(await page.getByText('10.255.255.255').count(), 0);
	await page.getByText('192.0.2.127').first().waitFor();
});

test('networks are cut and summarised', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/ip-calc?q=192.0.2.0/24`);
	const split = page.getByRole('region', { name: 'Split 192.0.2.0/24' });
	await split.getByText('2 networks of /25').waitFor();
	await split.getByLabel('Into networks by').selectOption('hosts');
	await split.getByLabel('Numbers of hosts').fill('50, 20, 10');
	await split.getByText('192.0.2.96/28').waitFor();
	await split.getByText('Left over').waitFor();
	await split.getByLabel('Numbers of hosts').fill('500');
	await split.getByText('there is no room left for 500 hosts').waitFor();
	await split.getByLabel('Into networks by').selectOption('prefix');
	await split.getByLabel('Prefix length').fill('32');
	await split.getByText('256 networks of /32').waitFor();

	const list = page.getByRole('region', { name: 'Summarise and compare' });
	await list.getByLabel('Networks').fill('10.0.0.0/24\n10.0.1.0/24, 10.0.0.7');
	await list.getByText('10.0.0.0/23').waitFor();
	await list.getByText('contains').waitFor();
	await list.getByLabel('Networks').fill('10.0.0.0/24\nnonsense');
	await list.getByText('(nonsense) must be an address').waitFor();
	assert.deepEqual(await violations(page), []);
	assert.deepEqual(faults, []);
});

test('a MAC address makes an address of an IPv6 network', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/ip-calc?q=2001:db8::/64`);
	const made = page.getByRole('region', { name: 'Address of a MAC address' });
	await made.getByLabel('MAC address').fill('0000.5e00.5301');
	await made.getByText('2001:db8::200:5eff:fe00:5301').waitFor();
	await page.waitForURL(/&mac=0000\.5e00\.5301$/);
	await page.reload();
	await made.getByText('given by its maker').waitFor();
	await made.getByLabel('MAC address').fill('00:00:5e');
	await made.getByText(/must be/).waitFor();
	assert.deepEqual(await violations(page), []);
	await page.getByRole('searchbox', { name: 'Address, network or range' }).fill('192.0.2.1');
	await made.waitFor({ state: 'detached' });
	assert.deepEqual(faults, []);
});

test('two hosts get a network that any link takes', async () => {
	const { page } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/ip-calc?q=192.0.2.0/24`);
	const split = page.getByRole('region', { name: 'Split 192.0.2.0/24' });
	await split.getByLabel('Into networks by').selectOption('hosts');
	await split.getByLabel('Numbers of hosts').fill('2');
	await split.getByRole('button', { name: '192.0.2.0/30' }).waitFor();
	await split.getByText('RFC 3021').waitFor();
});
