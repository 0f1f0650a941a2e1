// Workers, queues and the timeline of a made-up installation that is spread over the world.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, openPage, violations } from '../lib/browser.mjs';
import { inspect } from '../lib/inspect.mjs';
import { workers } from '../mock/catalog.mjs';
import { shown } from '../mock/operations.mjs';
import { startMock } from '../mock/server.mjs';

let mock;
let browser;
before(async () => {
	[mock, browser] = await Promise.all([startMock(), openBrowser()]);
});
after(async () => {
	await browser?.close();
	mock?.stop();
});

const address = (name) => `/workers/${workers.find((one) => one.name === name).id}`;
const pages = [
	['fleet', '/workers', 'Not on the map'],
	['worker', address('paris-1'), 'Self-test'],
	['worker-in-need', address('tokyo-1'), 'not offered because of it'],
	['worker-never-seen', address('capetown-1'), 'It has not tested itself yet'],
	['worker-new', '/workers/new', 'How it gets in'],
	['queues', '/queues', 'netwark.lab'],
	['events', '/events', 'its spool was full'],
	['overview-fleet', '/', 'Latest events']
];
for (const [name, path, ready] of pages) {
	test(`the page ${name}`, () => inspect(browser, { name, url: mock.url + path, ready }));
}

test('the map comes from this server alone, and only where it is looked at', async () => {
	const { page, faults } = await openPage(browser);
	const asked = [];
	page.on('request', (request) => asked.push(request.url()));
	await page.goto(`${mock.url}/queues`);
	await page.getByRole('heading', { name: 'Queues' }).waitFor();
	const before = new Set(asked);
	await page.getByRole('link', { name: 'Workers', exact: true }).click();
	await page.getByRole('group', { name: /^Map of/ }).waitFor();
	const world = asked.filter((url) => !before.has(url) && url.endsWith('.js'));
	assert.ok(world.length > 0, 'the map is a part of its own');
	assert.deepEqual(
		asked.filter((url) => !url.startsWith(mock.url)),
		[]
	);
	assert.deepEqual(faults, []);
});

test('the map is used by keys alone: a cluster opens, comes apart, and leads to a worker', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(`${mock.url}/workers`);
	const map = page.getByRole('group', { name: 'Map of 9 workers' });
	const europe = map.getByRole('button', { name: '4 workers: 3 online, 1 draining' });
	await europe.focus();
	await page.keyboard.press('Enter');
	const card = map.getByRole('group', { name: '4 workers' });
	await card.getByRole('link', { name: 'lyon-1' }).waitFor();
	assert.deepEqual(await violations(page), []);
	await page.keyboard.press('Escape');
	await card.waitFor({ state: 'detached' });
	await page.keyboard.press('Enter');
	await card.getByRole('button', { name: 'Zoom in' }).click();
	await map.getByRole('link', { name: /^lyon-1, online/ }).waitFor();
	assert.deepEqual(await violations(page), []);
	await map.getByRole('button', { name: 'Whole world' }).click();
	await map.getByRole('link', { name: 'tokyo-1, offline, Tokyo, CC1' }).focus();
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: /tokyo-1/ }).waitFor();
	assert.deepEqual(faults, []);
});

test('filters narrow table and map, and stand in the address', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(`${mock.url}/workers`);
	const rows = page.getByRole('region', { name: 'Table of workers' }).locator('tbody tr');
	await rows.nth(9).waitFor();
	await page.getByLabel('State').selectOption('offline');
	await page.getByText('1 of 10 workers').waitFor();
	await page.getByRole('group', { name: 'Map of 1 worker' }).waitFor();
	assert.equal(new URL(page.url()).search, '?state=offline');
	await page.reload();
	await page.getByText('1 of 10 workers').waitFor();
	await page.getByRole('button', { name: 'Show all' }).click();
	await page.getByLabel('Name, place, tag or queue').fill('<b>nowhere');
	await page.getByText('No worker fits these filters').waitFor();
	await page.getByLabel('Name, place, tag or queue').fill('as64500');
	await page.getByText('2 of 10 workers').waitFor();
	assert.deepEqual(faults, []);
});

test('the table is sorted by its headings', async () => {
	const { page } = await openPage(browser);
	await page.goto(`${mock.url}/workers`);
	const names = () =>
		page.getByRole('region', { name: 'Table of workers' }).locator('tbody a.block').allTextContents();
	await page.getByRole('button', { name: 'Load' }).click();
	assert.equal((await names())[0].trim(), 'paris-2');
	const last = (await names()).slice(-3).map((name) => name.trim());
	assert.deepEqual(last, ['capetown-1', 'newyork-1', 'tokyo-1'], 'what is unknown now stands last');
	await page.getByRole('button', { name: 'Worker', exact: true }).click();
	assert.equal(
		await page.getByRole('columnheader', { name: 'Worker' }).getAttribute('aria-sort'),
		'ascending'
	);
	assert.equal((await names())[0].trim(), 'capetown-1');
});

test('events are narrowed and read back to the first', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(`${mock.url}/events`);
	await page.getByText('50 events shown').waitFor();
	await page.getByRole('button', { name: 'Load older' }).click();
	await page.getByText('67 events shown, that is all').waitFor();
	await page.getByLabel('Severity').selectOption('alert');
	await page.getByText('1 event shown').waitFor();
	await page.getByLabel('Worker').selectOption('sydney-1');
	await page.getByText('Nothing fits these filters').waitFor();
	await page.goto(`${mock.url}/events?worker=00000000-0000-7000-8000-000000000000`);
	await page.getByText('Nothing fits these filters').waitFor();
	assert.deepEqual(faults, []);
});

test('a deleted worker is named but not linked, and its old page says so', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(`${mock.url}/events`);
	await page.getByText('rome-1', { exact: true }).waitFor();
	assert.equal(await page.getByRole('link', { name: 'rome-1' }).count(), 0);
	await page.getByRole('link', { name: 'sydney-1' }).first().waitFor();
	await page.goto(`${mock.url}/workers/0192ffff-0000-7000-8000-000000000000`);
	await page.getByText('This worker is not here any more').last().waitFor();
	assert.deepEqual(await violations(page), []);
	await page.getByRole('link', { name: 'Its events' }).click();
	await page
		.getByText('rome-1 was deleted')
		.or(page.getByText('rome-1', { exact: true }))
		.first()
		.waitFor();
	assert.deepEqual(faults, []);
});

test('what an administrator sets is edited field by field', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(mock.url + address('paris-1'));
	await page.getByRole('button', { name: 'Edit' }).click();
	const form = page.getByRole('region', { name: 'Edit paris-1' });
	assert.equal(await form.getByLabel('Location', { exact: true }).inputValue(), 'Paris, TH2');
	await form.getByRole('button', { name: 'Set coordinates' }).click();
	await form.getByLabel('Coordinates', { exact: true }).fill('somewhere');
	await form.getByRole('button', { name: 'Set as number' }).click();
	await form.getByLabel('AS number', { exact: true }).fill('-1');
	await form.getByRole('button', { name: 'Save' }).click();
	await form.getByText('Coordinates are two numbers').waitFor();
	await form.getByText('AS number is a number from 1').waitFor();
	assert.deepEqual(await violations(page), []);
	await form.getByRole('button', { name: 'Give back to the worker: coordinates' }).click();
	await form.getByText('48.8566, 2.3522').waitFor();
	await form.getByRole('button', { name: 'Cancel' }).click();
	await form.waitFor({ state: 'detached' });
	assert.deepEqual(faults, []);
});

test('a place is pointed at on the map', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(`${mock.url}/workers/new`);
	await page.getByText('Place on the map, network, queues').click();
	await page.getByRole('button', { name: 'Point at it' }).click();
	const map = page.getByRole('group', { name: 'Map to point at a place' });
	const box = await map.locator('svg').first().boundingBox();
	await map.click({ position: { x: box.width / 2, y: box.height / 2 } });
	const [latitude, longitude] = (await page.getByLabel('Coordinates', { exact: true }).inputValue()).split(
		','
	);
	assert.ok(Math.abs(Number(latitude)) < 1 && Math.abs(Number(longitude)) < 1, `${latitude}, ${longitude}`);
	await map.click({ position: { x: 2, y: 2 } });
	assert.equal(
		await page.getByLabel('Coordinates', { exact: true }).inputValue(),
		`${latitude},${longitude}`
	);
	assert.deepEqual(await violations(page), []);
	assert.deepEqual(faults, []);
});

test('a place that is typed, or pointed at and zoomed to, stays in sight', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(`${mock.url}/workers/new`);
	await page.getByText('Place on the map, network, queues').click();
	await page.getByRole('button', { name: 'Point at it' }).click();
	const map = page.getByRole('group', { name: 'Map to point at a place' });
	const pin = map.locator('svg').first().locator('g.pointer-events-none');
	/** How far the tip of the pin is from the middle of the map, as shares of its size. */
	const off = async () => {
		const [box, at] = [await map.locator('svg').first().boundingBox(), await pin.boundingBox()];
		const tip = { x: at.x + at.width / 2, y: at.y + at.height };
		return [(tip.x - box.x) / box.width - 0.5, (tip.y - box.y) / box.height - 0.5].map(Math.abs);
	};
	await page.getByLabel('Coordinates', { exact: true }).fill('48.86, 2.35');
	await pin.waitFor();
	assert.ok(Math.max(...(await off())) < 0.05, 'what is typed is in the middle');
	await map.getByRole('button', { name: 'Whole world' }).click();
	const box = await map.locator('svg').first().boundingBox();
	await map.click({ position: { x: box.width * 0.7, y: box.height * 0.35 } });
	assert.ok((await off())[0] > 0.1, 'pointing moves nothing');
	for (let i = 0; i < 3; i += 1) await map.getByRole('button', { name: 'Zoom in' }).click();
	assert.ok(Math.max(...(await off())) < 0.05, 'zooming goes to the place');
	assert.deepEqual(faults, []);
});

test('what was known stays in sight while the server is away', async () => {
	const own = await startMock();
	const { page } = await openPage(browser);
	await page.goto(`${own.url}/workers`);
	await page.getByText('10 workers', { exact: true }).waitFor();
	own.stop();
	await page.getByText('What is shown is what was known before.').waitFor();
	await page.getByRole('link', { name: 'lyon-1' }).first().waitFor();
});

test('a running operation says that it is no longer told of', async () => {
	const own = await startMock();
	const { page } = await openPage(browser);
	await page.goto(`${own.url}/operations/${shown.away.id}`);
	await page.getByRole('status').filter({ hasText: 'Live' }).first().waitFor();
	own.stop();
	await page.getByText('What is shown is what was known before.').waitFor();
	await page.getByRole('article', { name: 'Result of tokyo-1' }).waitFor();
});

test('a phone finds every page behind More', async () => {
	const { page, faults } = await openPage(browser, { screen: 'phone' });
	await page.goto(`${mock.url}/`);
	const bar = page.getByRole('navigation', { name: 'Main, below' });
	await bar.getByRole('button', { name: 'More' }).click();
	assert.deepEqual(await violations(page), []);
	await bar.getByRole('link', { name: 'Queues' }).click();
	await page.getByRole('heading', { name: 'Queues' }).waitFor();
	await bar.getByRole('link', { name: 'Tokens' }).waitFor({ state: 'detached' });
	assert.deepEqual(faults, []);
});
