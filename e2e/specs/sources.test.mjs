// Where the data of look-ups is from: fetched at once by an administrator, with an account whose key is never shown.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openBrowser, openPage, violations } from '../lib/browser.mjs';
import { inspect } from '../lib/inspect.mjs';
import { makeAdmin, startServer } from '../lib/server.mjs';

let server;
let browser;
let cookie;
let mirror;
before(async () => {
	mirror = await mkdtemp(join(tmpdir(), 'netwark-mirror-'));
	const services = [[['newtld'], ['https://rdap.example/']]];
	const file = { version: '1.0', publication: '2026-11-02T00:00:00Z', services };
	await writeFile(join(mirror, 'dns.json'), JSON.stringify(file));
	[server, browser] = await Promise.all([
		startServer({ NETWARK_UPDATES__RDAP__URL: mirror, NETWARK_UPDATES__GEOIP__URL: join(mirror, 'none') }),
		openBrowser()
	]);
	cookie = await makeAdmin(server);
});
after(async () => {
	await browser?.close();
	await server?.stop();
	await rm(mirror, { recursive: true, force: true });
});

test('an administrator fetches at once and sees how it ended', async () => {
	const { page, faults, context } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/sources`);
	const registries = page.getByRole('region', { name: 'RDAP services of registries' });
	await registries.getByText('as they came with the program').waitFor();
	await registries.getByRole('button', { name: /^Update now RDAP services/ }).click();
	await registries.getByText('done for user admin: ').waitFor();
	await registries.getByText('of 2026-11-02, brought by an update').waitFor();

	const places = page.getByRole('region', { name: 'Places and autonomous systems' });
	await places.getByRole('button', { name: /^Update now places/ }).click();
	await places.getByText('failed for user admin: ').waitFor();
	assert.deepEqual(await violations(page), []);
	await page.goto(`${server.url}/events`);
	await page.getByText('RDAP services of registries were updated, as user admin asked').waitFor();
	await page.getByText('could not be updated, as user admin asked').waitFor();
	assert.deepEqual(faults, []);
	await context.close();
});

test('the key of an account goes in and does not come out', async () => {
	const { page, faults, context } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/sources`);
	const places = page.getByRole('region', { name: 'Places and autonomous systems' });
	await places.getByRole('button', { name: 'Use an account' }).click();
	await places.getByLabel('Account number').fill('4711');
	await places.getByLabel('Licence key').fill('two words');
	await places.getByRole('button', { name: 'Keep the account' }).click();
	await places.getByText('Licence key must be').waitFor();
	assert.deepEqual(await violations(page), []);
	await places.getByLabel('Licence key').fill('hush-hush');
	await places.getByRole('button', { name: 'Keep the account' }).click();
	await places.getByText('its key sealed on the server').waitFor();
	assert.ok(!(await page.content()).includes('hush-hush'));
	await places.getByRole('button', { name: 'Forget it' }).click();
	await page.getByRole('button', { name: 'Forget', exact: true }).click();
	await places.getByText('none is needed for what is fetched').waitFor();
	assert.deepEqual(faults, []);
	await context.close();
});

test('the page /lookups/sources', () =>
	inspect(browser, {
		name: 'sources-updated',
		url: `${server.url}/lookups/sources`,
		ready: 'of 2026-11-02, brought by an update',
		cookie
	}));
