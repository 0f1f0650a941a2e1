// Results of every kind, from a made-up installation that is larger than one machine.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { inspect } from '../lib/inspect.mjs';
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

const ready = 'netwark.broadcast';
const address = (name) => `${mock.url}/operations/${shown[name].id}`;
for (const name of ['ping', 'mtr', 'sweep', 'tcp', 'tls', 'http', 'other', 'unanswered', 'cut', 'away']) {
	test(`an operation with results: ${name}`, () => inspect(browser, { name, url: address(name), ready }));
}

test('what failed in part is not shown as well', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(address('cut'));
	await page.getByRole('heading', { level: 1 }).getByText('Done, 2 of 3 failed').waitFor();
	const late = page.getByRole('article', { name: 'Result of paris-1' });
	await late.getByText('timed out.').waitFor();
	await late.getByText('Until then: ').waitFor();
	assert.equal(await late.getByText('OK', { exact: true }).count(), 0);
	const table = page.getByRole('region', { name: 'All results' });
	await table.getByText('Could not measure: no socket.').waitFor();
	await table.getByText('timed out.').waitFor();

	await page.goto(address('away'));
	const away = page.getByRole('article', { name: 'Result of tokyo-1' });
	await away.getByText('worker offline', { exact: true }).waitFor();
	assert.equal(await away.getByText('OK', { exact: true }).count(), 0);

	await page.goto(`${mock.url}/operations`);
	const row = page.getByRole('row', { name: /Done, 2 of 3 failed/ });
	await row.getByRole('link', { name: '192.0.2.80' }).waitFor();
	assert.deepEqual(faults, []);
});

test('what differs between workers is named', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(address('http'));
	const table = page.getByRole('region', { name: 'All results' });
	const odd = table.getByRole('row', { name: /lyon-1/ });
	await odd.getByRole('cell', { name: 'differs: 503' }).waitFor();
	assert.equal(await odd.getByText('differs:').count(), 2, 'status and body');
	assert.equal(
		await table
			.getByRole('row', { name: /paris-1/ })
			.getByText('differs:')
			.count(),
		0
	);
	const card = page.getByRole('article', { name: 'Result of lyon-1' });
	await card.getByText('2 headers').click();
	await card.getByText('max-age=31536000').waitFor();

	await page.goto(address('tls'));
	const old = page.getByRole('article', { name: 'Result of lyon-1' });
	await old.getByText('ended 25 days ago', { exact: false }).first().waitFor();
	await page
		.getByRole('row', { name: /lyon-1/ })
		.getByRole('cell', { name: 'differs: no' })
		.waitFor();

	await page.goto(address('tcp'));
	const tried = page.getByRole('article', { name: 'Result of paris-1' });
	await tried.getByText('of 4 tried').waitFor();
	await page
		.getByRole('row', { name: /lyon-1/ })
		.getByRole('cell', { name: 'filtered' })
		.first()
		.waitFor();
	assert.deepEqual(faults, []);
});

test('hosts of a sweep are searched, and compared across workers', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(address('sweep'));
	const card = page.getByRole('article', { name: 'Result of embedded' });
	const table = card.getByRole('group', { name: 'Hosts found' });
	await table.getByRole('row', { name: /192\.0\.2\.5 .*conflict/ }).waitFor();
	assert.equal(await table.getByRole('row').count(), 41);
	await card.getByPlaceholder('address, MAC, vendor or name').fill('device example');
	await table.getByRole('row').nth(8).waitFor({ state: 'detached' });
	assert.equal(await table.getByRole('row').count(), 8, 'a head and who fits');
	await page.getByRole('article', { name: 'Result of lyon-1' }).getByText('120 of 254 asked').waitFor();

	const compared = page.getByRole('region', { name: 'Addresses by worker' });
	await compared.getByRole('row', { name: /192\.0\.2\.8 .*00:00:5e:00:53:ee/ }).waitFor();
	await compared.getByRole('row', { name: /192\.0\.2\.40 .*not found/ }).waitFor();
	assert.equal(await compared.getByRole('row').count(), 3, 'a head and what differs');
	await page.getByRole('button', { name: 'Show all addresses' }).click();
	await compared.getByRole('row', { name: /192\.0\.2\.1 / }).waitFor();
	assert.deepEqual(faults, []);
});

test('an operation with twenty tables of thirty hops', () =>
	// axe takes its time over so many cells; what depends on the width is in the smaller one.
	inspect(browser, { name: 'twenty', url: address('wide'), ready, narrow: false }));

/** How many labels under nodes of a graph lie over another, or over one beside a step. */
const overlaps = (graph) =>
	graph
		.locator('svg')
		.last()
		.evaluate((svg) => {
			const boxes = (selector) =>
				[...svg.querySelectorAll(selector)].map((label) => label.getBoundingClientRect());
			const [nodes, steps] = [boxes('g[role=button] .label'), boxes('.step')];
			const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
			return nodes.flatMap((a, i) => [...nodes.slice(i + 1), ...steps].filter((b) => meet(a, b))).length;
		});

test('where three ways are equal, their labels keep apart', async () => {
	const { page } = await openPage(browser);
	await page.goto(address('mtr'));
	const graph = page.getByRole('region', { name: 'Ways to the target' });
	await graph.getByText('×40%').first().waitFor();
	assert.equal(await overlaps(graph), 0);
});

test('twenty workers with thirty hops each can be read', async () => {
	const { page } = await openPage(browser);
	await page.goto(`${mock.url}/operations/${shown.wide.id}`);
	const graph = page.getByRole('region', { name: 'Ways to the target' });
	await graph.getByRole('button', { name: /^target/ }).waitFor();
	const clashes = () => overlaps(graph);
	const size = () =>
		graph
			.locator('.label')
			.first()
			.evaluate((text) => text.getBoundingClientRect().height);
	assert.equal(await clashes(), 0);
	assert.ok((await size()) >= 8, 'labels must be large enough to read');

	const folded = await graph.getByRole('button').count();
	await graph
		.getByRole('button', { name: /hops in a row/ })
		.first()
		.press('Enter');
	assert.ok((await graph.getByRole('button').count()) > folded, 'a folded chain opens');
	await page.getByLabel('Fold hops in a row').uncheck();
	assert.equal(await clashes(), 0);
});
