// Every page of an installation that has just been made; and a whole measurement by keys alone.
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
});
after(async () => {
	await browser?.close();
	await server?.stop();
});

test('the doors', async () => {
	await inspect(browser, { name: 'setup', url: server.setupLink, ready: 'Make the first administrator' });
	cookie = await makeAdmin(server);
	await inspect(browser, { name: 'login', url: `${server.url}/login`, ready: 'Sign in' });
});

const pages = [
	['overview', '/', 'First steps'],
	['operations', '/operations', 'Nothing measured yet'],
	['new-ping', '/operations/new?type=ping', 'Options'],
	['new-mtr', '/operations/new?type=mtr', 'Options'],
	['new-dns', '/operations/new?type=dns', 'Options'],
	['workers', '/workers', 'Not on the map'],
	['geoip', '/lookups/geoip?q=192.0.2.1', 'has no file of places'],
	['networks', '/networks', 'No network is watched yet'],
	['new-network', '/networks/new', 'Watch it'],
	['devices', '/devices', 'No device was seen yet'],
	['access-list', '/access-list', 'The list is empty'],
	['statistics', '/statistics', 'Events by day'],
	['queues', '/queues', 'New queue'],
	['events', '/events', 'is online'],
	['lookups', '/lookups', 'Everything known about one thing'],
	['lookup-as', '/lookups?q=AS64500', 'RFC 5398'],
	['lookup-range', '/lookups?q=10.0.0.0%20-%2010.0.0.9', 'Private-Use'],
	['lookup-v6', '/lookups?q=2001:db8::1', 'Solicited-node'],
	['lookup-wrong', '/lookups?q=192.0.2.999', 'four numbers from 0 to 255'],
	['users', '/users', 'New user'],
	['tokens', '/tokens', 'New token']
];
for (const [name, path, ready] of pages) {
	test(`the page ${path}`, () => inspect(browser, { name, url: `${server.url}${path}`, ready, cookie }));
}

test('a whole measurement by keys alone', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/`);
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	await page.keyboard.press('Tab');
	assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to content');
	await page.keyboard.press('Enter');
	assert.equal(await page.evaluate(() => document.activeElement?.id), 'content');

	await page.keyboard.press('Control+k');
	await page.getByRole('option', { name: /^ping/ }).first().waitFor();
	await page.keyboard.type('pi');
	await page.keyboard.press('Tab');
	await page.keyboard.type('127.0.0.1 -c 2 from netwark.b');
	await page.keyboard.press('Tab');
	const input = page.getByRole('combobox', { name: 'Command' });
	assert.equal(await input.inputValue(), 'ping 127.0.0.1 -c 2 from netwark.broadcast');
	assert.deepEqual(await violations(page), []);
	await page.keyboard.press('Enter');
	await page.getByText('2 of 2 answered').waitFor();

	await page.keyboard.press('Control+k');
	await page.getByRole('option', { name: /Workers/ }).waitFor();
	await page.keyboard.type('vantage');
	await page.keyboard.press('ArrowDown');
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: 'Workers' }).waitFor();
	assert.deepEqual(faults, []);
});

test('a part of the program that is not there any more is told in words, and loaded again', async () => {
	const { page } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/workers`);
	await page.getByRole('heading', { name: 'Workers' }).waitFor();
	// As after an update: the parts have other names, but the page that is open does not know.
	await page.route('**/_app/immutable/**', (route) => route.fulfill({ status: 404 }));
	await page.getByRole('link', { name: 'Statistics' }).click();
	await page.getByText('This page could not be loaded').last().waitFor();
	await page.unroute('**/_app/immutable/**');
	await page.getByRole('button', { name: /again/ }).click();
	await page.getByText('Events by day').waitFor();
});
