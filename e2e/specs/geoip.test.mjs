// Where addresses are: the page with its map, and what measurements show of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { inspect } from '../lib/inspect.mjs';
import { makeAdmin, startServer } from '../lib/server.mjs';

const sample = (name) => fileURLToPath(new URL(`../../crates/lookup/tests/data/geoip/${name}`, import.meta.url));

let server;
let browser;
let cookie;
before(async () => {
	[server, browser] = await Promise.all([
		startServer({
			NETWARK_LOOKUPS__GEOIP__CITY: sample('city.mmdb'),
			NETWARK_LOOKUPS__GEOIP__ASN: sample('asn.mmdb')
		}),
		openBrowser()
	]);
	cookie = await makeAdmin(server);
});
after(async () => {
	await browser?.close();
	await server?.stop();
});

test('addresses with their map', () =>
	inspect(browser, {
		name: 'geoip-places',
		url: `${server.url}/lookups/geoip?q=192.0.2.1+192.0.2.200+2001:db8::1+9.9.9.9`,
		ready: 'Lyon Transit',
		cookie
	}));

test('one address after another, and what is no address', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/geoip`);
	const box = page.getByRole('searchbox', { name: 'Addresses' });
	await box.fill('192.0.2.1');
	await box.press('Enter');
	const answer = page.getByRole('article', { name: '192.0.2.1' });
	await answer.getByText('Lyon, Rhône, France').waitFor();
	await answer.getByText('within 20 km').waitFor();
	await page.getByRole('group', { name: 'Map of 1 address' }).waitFor();
	await page.getByRole('link', { name: 'IP Geolocation by DB-IP' }).waitFor();
	assert.match(page.url(), /\?q=192\.0\.2\.1$/);

	await box.fill('192.0.2.1, example.org');
	await box.press('Enter');
	await page.getByText('(number 2) must be an IPv4 or IPv6 address').waitFor();
	assert.equal(await box.getAttribute('aria-invalid'), 'true');
	assert.equal(await box.inputValue(), '192.0.2.1 example.org');

	await box.fill('203.0.113.7');
	await box.press('Enter');
	await page.getByRole('article', { name: '203.0.113.7' }).getByText('Norway').waitFor();
	assert.equal(await page.getByRole('group', { name: /^Map of/ }).count(), 0, 'a country alone is no point');
	assert.deepEqual(faults, []);
});

test('hops and pings say whose and where', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	for (const [type, expected] of [
		['mtr', 'AS64500'],
		['ping', 'AS64500 Example Networks · Lyon, Rhône, France']
	]) {
		await page.goto(`${server.url}/operations/new?type=${type}&target=127.0.0.1`);
		await page.getByRole('button', { name: /^Run/ }).click();
		await page.waitForURL(/\/operations\/[0-9a-f-]{36}/);
		await page.getByText(expected, { exact: true }).first().waitFor();
		await page.getByRole('link', { name: 'IP Geolocation by DB-IP' }).waitFor();
	}
	assert.deepEqual(faults, []);
});
