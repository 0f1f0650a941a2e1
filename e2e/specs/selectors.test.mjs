// Choosing who runs it: the preview of the form and the selector in the command bar.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fitsWidth, openBrowser, openPage, violations } from '../lib/browser.mjs';
import { makeAdmin, startServer } from '../lib/server.mjs';
import { startMock } from '../mock/server.mjs';

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

const openBar = async (page) => {
	await page.getByRole('button', { name: /^Command bar/ }).waitFor();
	await page.keyboard.press('Control+k');
	await page.getByRole('option', { name: /^ping/ }).first().waitFor();
};

for (const [screen, theme] of [
	['wide', 'light'],
	['wide', 'dark'],
	['phone', 'light']
]) {
	test(`the form says who would run it and who would not, ${screen}, ${theme}`, async () => {
		const { page, faults } = await openPage(browser, { screen, theme });
		await page.goto(`${mock.url}/operations/new?type=ping&target=192.0.2.1`);
		const preview = page.getByTestId('selection');
		await preview.getByText(/Would run on \d+ workers: .*skipped: .*tokyo-1 is offline/).waitFor();
		await page.getByRole('button', { name: 'site:paris' }).focus();
		await page.keyboard.press('Space');
		await preview.getByText('Would run on 1 worker: paris-1.').waitFor();
		assert.equal(await page.getByLabel('From').inputValue(), 'site:paris');
		assert.equal(await page.getByRole('button', { name: 'site:paris' }).getAttribute('aria-pressed'), 'true');
		await page.getByText(/--from site:paris/).waitFor();
		assert.deepEqual(await violations(page), []);
		assert.ok(await fitsWidth(page), 'something hangs over the edge');

		await page.getByLabel('From').fill('site:paris and not tag:nowhere');
		await page.getByText(/^'tag:nowhere' at character 20 finds nobody/).waitFor();
		assert.equal(await page.getByLabel('From').getAttribute('aria-invalid'), 'true');
		assert.deepEqual(await violations(page), []);
		await page.getByLabel('From').fill('netwark');
		await preview.getByText('Would run on any one worker of netwark.').waitFor();
		assert.equal(await preview.getByText('Nobody listens').count(), 0);
		await page.getByLabel('From').fill('netwark.attic');
		await preview.getByText('Nobody listens on netwark.attic now').waitFor();
		assert.deepEqual(await violations(page), []);
		assert.deepEqual(faults, []);
	});
}

test('the command bar completes selectors and puts a mistake under its word', async () => {
	const { page, faults } = await openPage(browser);
	await page.goto(`${mock.url}/`);
	await openBar(page);
	await page.keyboard.type('ping 192.0.2.1 from si');
	await page.getByRole('option', { name: /^site:/ }).waitFor();
	await page.keyboard.press('Tab');
	await page.getByRole('option', { name: /^site:paris/ }).waitFor();
	await page.keyboard.type('paris and not tag:nowhere -c 3');
	const alert = page.getByRole('alert');
	await alert.getByText("finds nobody: no worker has the tag 'nowhere'").waitFor();
	await alert.getByText('tag:nowhere', { exact: true }).waitFor({ state: 'attached' });
	assert.deepEqual(await violations(page), []);
	assert.deepEqual(faults, []);
});

test('Enter runs a command once, and not before the server has said what can be run', async () => {
	const { page, faults } = await openPage(browser);
	let answer = () => {};
	const asked = new Promise((asked) => {
		const hold = async (route) => {
			const held = new Promise((resolve) => (answer = resolve));
			asked();
			await held;
			await route.continue();
		};
		// The page of the operation asks as well.
		void page.route('**/api/v1/tools', hold, { times: 1 });
	});
	const made = [];
	page.on('request', (request) => {
		if (request.method() === 'POST') made.push(request.url());
	});
	await page.goto(`${mock.url}/`);
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	await page.keyboard.press('Control+k');
	await asked;
	await page.keyboard.type('ping 192.0.2.77 -c 3');
	for (let i = 0; i < 3; i += 1) await page.keyboard.press('Enter');
	await page.getByText('One moment…').waitFor();
	assert.deepEqual(made, []);
	answer();
	await page.getByRole('heading', { level: 1 }).getByText('192.0.2.77').waitFor();
	assert.equal(made.length, 1, 'one operation');
	assert.deepEqual(faults, []);
});

test('a selector runs, is shown with the operation, and the same workers are found again', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	const workers = await fetch(`${server.url}/api/v1/workers`, {
		headers: { Cookie: `${cookie.name}=${cookie.value}` }
	});
	const [{ name }] = await workers.json();
	await page.goto(`${server.url}/`);
	await openBar(page);
	await page.keyboard.type(`ping 127.0.0.1 from all and not site:"no such place" limit 2 -c 1`);
	await page.keyboard.press('Enter');
	await page.getByRole('alert').getByText("no worker stands at the site 'no such place'").waitFor();
	await page.keyboard.press('Control+a');
	await page.keyboard.type(`ping 127.0.0.1 from worker:"${name}" limit 2 -c 1`);
	await page.keyboard.press('Enter');
	const heading = page.getByRole('heading', { level: 1 });
	await heading.getByText('Done').waitFor();
	await page.getByText(`worker:${name} limit 2`).first().waitFor();

	const first = page.url().split('/').at(-1);
	await page.goto(`${server.url}/operations/new?type=ping&target=127.0.0.1`);
	await page.getByRole('button', { name: '@last' }).click();
	await page.getByTestId('selection').getByText(`Would run on 1 worker: ${name}.`).waitFor();
	await page.getByLabel('Count').fill('1');
	await page.getByRole('button', { name: 'Run ping' }).click();
	await heading.getByText('Done').waitFor();
	await page.getByText(`@${first}`).first().waitFor();
	assert.deepEqual(faults, []);
});
