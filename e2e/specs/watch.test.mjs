// A watched network: its pages in every way they are shown, and what people do on them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, openPage, violations } from '../lib/browser.mjs';
import { inspect } from '../lib/inspect.mjs';
import { makeAdmin, startServer } from '../lib/server.mjs';
import { startMock } from '../mock/server.mjs';
import { made } from '../mock/watch.mjs';

let mock;
let server;
let browser;
let cookie;
before(async () => {
	[mock, server, browser] = await Promise.all([startMock(), startServer(), openBrowser()]);
	cookie = await makeAdmin(server);
});
after(async () => {
	await browser?.close();
	mock?.stop();
	await server?.stop();
});

const pages = [
	['watch-networks', '/networks', 'its worker oslo-1 is offline'],
	['watch-network', `/networks/${made.network.id}`, 'Addresses of 192.0.2.0/24'],
	['watch-devices', '/devices', '60 devices'],
	['watch-device', `/devices/${made.devices[0].id}`, 'Rented until 2028'],
	['watch-proposal', `/devices/${made.devices[1].id}`, 'It may be the same as'],
	['watch-access', '/access-list', 'Everything of this vendor'],
	['watch-statistics', '/statistics', 'Events by day']
];
for (const [name, path, ready] of pages) {
	test(`the page ${path.replace(/[0-9a-f-]{36}/, 'ID')} with much on it`, () =>
		inspect(browser, { name, url: `${mock.url}${path}`, ready }));
}

test('devices are filtered, and a filter is kept', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(`${mock.url}/devices`);
	await page.getByText('60 devices').waitFor();
	const resources = page.getByRole('table').locator('a[data-resource]');
	assert.ok((await resources.count()) > 60, 'addresses and hardware addresses lead to what is known of them');
	await page.getByLabel('Presence', { exact: true }).selectOption('down');
	await page.getByText('6 devices').waitFor();
	const save = page.getByRole('button', { name: 'Save this filter' });
	await save.focus();
	await page.keyboard.press('Enter');
	await page.getByLabel('Name of the filter').waitFor();
	await page.keyboard.type('Gone');
	await page.keyboard.press('Enter');
	await page.getByRole('button', { name: 'Gone', exact: true, pressed: true }).waitFor();
	assert.equal(await save.evaluate((button) => button === document.activeElement), true);
	await page.getByLabel('Presence', { exact: true }).selectOption('');
	await page.getByText('60 devices').waitFor();
	await page.getByRole('button', { name: 'Gone', exact: true, pressed: false }).click();
	await page.getByText('6 devices').waitFor();
	assert.deepEqual(await violations(page), []);
	assert.deepEqual(faults, []);
});

test('a network that a worker stands in is watched by one click, or dismissed', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(`${mock.url}/networks`);
	await page.getByText('10.20.0.0/22, fd00:20::/64').waitFor();
	assert.equal(await page.getByText('172.30.0.0/24').count(), 0);
	await page.getByRole('button', { name: 'Show 1 dismissed' }).click();
	await page.getByText('172.30.0.0/24').waitFor();
	await page.getByRole('button', { name: 'Dismiss 192.168.8.0/24' }).click();
	await page.getByRole('button', { name: 'Offer again 192.168.8.0/24' }).click();
	await page.getByRole('button', { name: 'Dismiss 192.168.8.0/24' }).waitFor();
	assert.deepEqual(await violations(page), []);
	await page.getByRole('link', { name: 'Watch 10.20.0.0/22' }).click();
	await page.getByRole('heading', { name: 'New network' }).waitFor();
	assert.equal(await page.getByRole('textbox', { name: 'Name' }).inputValue(), 'paris');
	assert.equal(await page.getByLabel('Prefixes').inputValue(), '10.20.0.0/22\nfd00:20::/64');
	assert.equal(await page.getByLabel('From').inputValue(), 'worker:paris-1');
	assert.deepEqual(faults, []);
});

test('a network is made, stopped and deleted', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/networks/new`);
	await page.getByRole('textbox', { name: 'Name' }).fill('Office');
	await page.getByLabel('Prefixes').fill('192.0.2.0/33');
	await page.getByRole('button', { name: 'Watch it' }).click();
	await page.getByText(/Prefixes \(number 1\) must be a prefix/).waitFor();
	await page.getByLabel('Prefixes').fill('192.0.2.0/24');
	await page.getByLabel('From').fill('worker:nobody');
	await page.getByRole('button', { name: 'Watch it' }).click();
	await page.getByText('no worker that is online fits').waitFor();
	await page.getByRole('button', { name: 'Stop' }).click();
	await page.getByText('Nobody looks, so nobody knows').waitFor();
	await page.getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
	await page.getByText('No network is watched yet').waitFor();
	// A refusal is in the console, too; nothing else may be.
	assert.deepEqual(
		faults.filter((fault) => !fault.includes('400')),
		[]
	);
});

test('an entry that contradicts another is refused', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/access-list`);
	const add = async (mac) => {
		await page.getByLabel('Hardware address', { exact: true }).fill(mac);
		await page.getByRole('button', { name: 'Add' }).click();
	};
	await add('00-00-5E-00-53-01');
	await page.getByRole('cell', { name: /^00:00:5e:00:53:01/ }).waitFor();
	await page.getByLabel('Deny').check();
	await add('0000.5e00.5301');
	await page
		.getByText(/is allowed already, on all networks/)
		.first()
		.waitFor();
	assert.deepEqual(
		faults.filter((fault) => !fault.includes('409')),
		[]
	);
});

test('forms are opened, filled in and left by keyboard', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/access-list`);
	const focused = (locator) => locator.evaluate((element) => element === document.activeElement);
	const mac = page.getByLabel('Hardware address', { exact: true });
	await mac.fill('00:00');
	await page.keyboard.press('Enter');
	await page.locator('[aria-invalid]').waitFor();
	assert.ok(await focused(mac), 'what is wrong is to be put right');
	await page.keyboard.type(':5e:00:53:07');
	await page.getByLabel('Until').fill('2100-01-31');
	await page.getByLabel('Until').press('Enter');
	const edit = page.getByRole('button', { name: 'Edit 00:00:5e:00:53:07' });
	await edit.focus();
	await page.keyboard.press('Enter');
	await page.getByRole('button', { name: 'Save' }).waitFor();
	assert.ok(await focused(mac));
	assert.equal(await page.getByLabel('Until').inputValue(), '2100-01-31');
	await page.getByRole('textbox', { name: 'Note', exact: true }).fill('Anna');
	await page.keyboard.press('Enter');
	await page.getByRole('cell', { name: 'Anna' }).waitFor();
	assert.ok(await focused(edit), 'whoever is done is where they were');
	const kept = await page.evaluate(async () => (await (await fetch('/api/v1/access-list?q=Anna')).json())[0]);
	assert.match(kept.expires_at, /^2100-0(1-31|2-01)T/);
	await page.getByRole('button', { name: 'Import CSV' }).focus();
	await page.keyboard.press('Enter');
	await page.getByLabel('A file').waitFor();
	assert.ok(await focused(page.getByLabel('A file')));
	assert.deepEqual(
		faults.filter((fault) => !fault.includes('400')),
		[]
	);
});
