// Channels and subscriptions on a real server, with a receiver that takes, refuses and remembers.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { fitsWidth, openBrowser, openPage, violations } from '../lib/browser.mjs';
import { inspect } from '../lib/inspect.mjs';
import { makeAdmin, startServer } from '../lib/server.mjs';

let server;
let browser;
let cookie;
let receiver;
/** What the receiver answers, and what came. */
let answer = 200;
const came = [];
before(async () => {
	receiver = createServer(async (request, response) => {
		let text = '';
		for await (const part of request) text += part;
		came.push({ headers: request.headers, body: text });
		response
			.writeHead(answer, { 'Content-Type': 'text/plain' })
			.end(answer === 200 ? 'thank you' : 'not this');
	});
	await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
	[server, browser] = await Promise.all([startServer(), openBrowser()]);
	cookie = await makeAdmin(server);
});
after(async () => {
	await browser?.close();
	await server?.stop();
	receiver?.close();
});

const hook = () => `http://127.0.0.1:${receiver.address().port}/hook`;

test('a webhook is made, tried, refused and sent again', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/channels`);
	await page.getByText('There is no channel yet').waitFor();
	await page.getByRole('link', { name: 'New channel' }).click();
	await page.getByLabel('Kind').selectOption('webhook');
	await page.getByLabel('Name', { exact: true }).fill('Hook');
	await page.getByLabel('URL', { exact: true }).fill('ftp://example.org');
	await page.getByRole('button', { name: 'Make it' }).click();
	await page.getByText(/URL must begin with https:/).waitFor();
	assert.deepEqual(await violations(page), []);
	await page.getByLabel('URL', { exact: true }).fill(hook());
	await page.getByLabel(/Sign every request/).check();
	await page.getByRole('button', { name: 'Make it' }).click();
	await page.getByText('It is shown this once').waitFor();
	await page.getByRole('link', { name: 'Go on' }).click();
	await page.getByText('Nothing was sent over it yet').waitFor();

	await page.getByRole('button', { name: 'Send a test' }).click();
	await page.getByText(/The test was delivered\. The answer: .*thank you/).waitFor();
	assert.equal(came.length, 1);
	assert.match(came[0].headers['webhook-signature'], /^v1,/);
	answer = 400;
	await page.getByRole('button', { name: 'Send a test' }).click();
	await page.getByText(/The test was not delivered:\s+.*400/).waitFor();
	await page.getByText('Given up').waitFor();

	// What happens is told, refused, and sent again.
	const id = new URL(page.url()).pathname.split('/').at(-1);
	const make = async (path, data) => {
		const headers = { Origin: server.url };
		const made = await page.request.post(`${server.url}/api/v1${path}`, { data, headers });
		assert.equal(made.status(), 201, await made.text());
	};
	await make('/subscriptions', { name: 'All', channels: [id], severities: [], group_for_ms: 0 });
	await make('/networks', { name: 'Office', prefixes: ['192.0.2.0/24'], from: 'worker:nobody' });
	await page.getByRole('button', { name: 'Send again' }).first().waitFor();
	answer = 200;
	const refused = came.at(-1).headers['webhook-id'];
	await page.getByRole('button', { name: 'Send again' }).first().click();
	await page.getByText('It is sent again').waitFor();
	await page.getByRole('button', { name: 'Send again' }).waitFor({ state: 'detached' });
	assert.equal(came.at(-1).headers['webhook-id'], refused, 'the other side knows it again');
	assert.deepEqual(await violations(page), []);

	await page.getByRole('button', { name: 'Edit' }).click();
	await page.getByText('One is kept, sealed; when empty, it stays. It leads to').waitFor();
	assert.equal(await page.getByLabel('Signing key', { exact: true }).inputValue(), '');
	await page.getByLabel('Name', { exact: true }).fill('Pager of the night');
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByRole('heading', { name: 'Pager of the night' }).waitFor();
	assert.deepEqual(faults, []);
});

test('every kind of channel has a form, and its bad input is told beside its fields', async () => {
	const { page, faults } = await openPage(browser, { cookie, screen: 'phone' });
	await page.goto(`${server.url}/channels/new`);
	await page.getByLabel('Kind').waitFor();
	for (const kind of await page.getByLabel('Kind').locator('option').all()) {
		const value = await kind.getAttribute('value');
		await page.getByLabel('Kind').selectOption(value);
		await page.getByLabel('Name', { exact: true }).fill(`A ${value}`);
		await page.getByRole('button', { name: 'Make it' }).click();
		const wrong = page.locator('[id$="-error"], [role="alert"]');
		await wrong
			.first()
			.waitFor()
			.catch(() => assert.fail(`${value} is made of nothing`));
		// What is missing belongs to a field that is there.
		assert.equal(await page.getByText(/config\.|secrets\./).count(), 0, value);
		assert.deepEqual(await violations(page, 'without'), [], value);
		assert.ok(await fitsWidth(page), `${value}: something hangs over the edge`);
	}
	assert.deepEqual(await violations(page), []);
	assert.deepEqual(faults, []);
});

test('a subscription is previewed, made, switched off and deleted', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/subscriptions`);
	await page.getByRole('link', { name: 'New subscription' }).click();
	await page.getByRole('button', { name: 'Subscribe' }).click();
	await page.getByText(/Name must not be empty|Name is missing/).waitFor();
	await page.getByLabel('Name', { exact: true }).fill('What is worth a look');
	await page.getByLabel('Quiet hours', { exact: true }).check();
	await page.getByLabel('Quiet hours from').fill('21:30');
	await page.getByText('Only some events').click();
	await page.getByLabel('New device', { exact: true }).check();
	await page.getByRole('button', { name: 'What it would have told' }).click();
	await page.getByText(/\d+ events? in \d+ notices?/).waitFor();
	assert.deepEqual(await violations(page), []);
	await page.getByRole('button', { name: 'Subscribe' }).click();
	await page.getByText(/warning, alert; New device; quiet 21:30 to 07:00/).waitFor();
	await page.getByRole('link', { name: 'What is worth a look' }).click();
	await page.getByRole('button', { name: 'Switch off' }).click();
	await page.getByText('It is switched off.').waitFor();
	await page.getByLabel('Most notices an hour').fill('0');
	await page.getByRole('button', { name: 'Save' }).click();
	await page.getByText(/Most notices an hour must be/).waitFor();
	await page.getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await page.getByText('What is worth a look is deleted').waitFor();
	await page.getByRole('link', { name: 'What is worth a look' }).waitFor({ state: 'detached' });
	assert.deepEqual(faults, []);
});

test('the pages of channels and subscriptions', async () => {
	await inspect(browser, {
		name: 'channels',
		url: `${server.url}/channels`,
		ready: 'Pager of the night',
		cookie
	});
	await inspect(browser, {
		name: 'channel-new',
		url: `${server.url}/channels/new`,
		ready: 'Mail server',
		cookie
	});
	await inspect(browser, {
		name: 'subscription-new',
		url: `${server.url}/subscriptions/new`,
		ready: 'What it would have told',
		cookie
	});
});
