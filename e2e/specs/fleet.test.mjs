// Real workers: enrolled, looked after, drained, revoked; queues and the timeline beside them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { inspect } from '../lib/inspect.mjs';
import { makeAdmin, PASSWORD, startServer, startWorker } from '../lib/server.mjs';

/** A worker tests itself before it connects, and this machine may be busy. */
const PATIENCE = { timeout: 60_000 };

let server;
let browser;
let cookie;
const workers = [];
before(async () => {
	[server, browser] = await Promise.all([startServer(), openBrowser()]);
	cookie = await makeAdmin(server);
});
after(async () => {
	await browser?.close();
	for (const worker of workers) await worker.stop();
	await server?.stop();
});

async function run(args, env) {
	const worker = await startWorker(args, env);
	workers.push(worker);
	return worker;
}

/** Asks the API as the administrator. */
async function ask(method, path, body) {
	const answer = await fetch(`${server.url}/api/v1${path}`, {
		method,
		headers: {
			'Content-Type': 'application/json',
			Origin: server.url,
			Cookie: `${cookie.name}=${cookie.value}`
		},
		body: body && JSON.stringify(body)
	});
	const text = await answer.text();
	assert.ok(answer.ok, `${method} ${path} answered ${answer.status}: ${text}`);
	return text ? JSON.parse(text) : null;
}

test('the worker that came along', async () => {
	const [worker] = await ask('GET', '/workers');
	await inspect(browser, {
		name: 'real-worker',
		url: `${server.url}/workers/${worker.id}`,
		ready: 'Self-test',
		cookie
	});
});

test('a worker is enrolled with one pasted command, watched, changed, drained and revoked', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/workers`);
	await page.getByRole('link', { name: 'Add a worker' }).click();
	await page.getByRole('button', { name: 'Add worker' }).click();
	await page.getByText('Name is needed').waitFor();
	await page.getByLabel('Name', { exact: true }).fill('x'.repeat(101));
	await page.getByRole('button', { name: 'Add worker' }).click();
	await page.getByText('Name must be at most 100 characters').waitFor();
	await page.getByLabel('Name', { exact: true }).fill('far-1');
	await page.getByLabel('Site', { exact: true }).fill('far');
	await page.getByText('Place on the map, network, queues').click();
	await page.getByLabel('Coordinates', { exact: true }).fill('48.86, 2.35');
	await page.getByRole('button', { name: 'Add worker' }).click();

	const command = await page.getByRole('tabpanel').getByLabel('Command', { exact: true }).textContent();
	const token = command.match(/nww_[0-9a-f]+_[^\s'"]+/)[0];
	assert.ok(command.includes(`netwark worker --server ${server.url}`), command);
	for (const [tab, holds] of [
		['systemd', 'RestartPreventExitStatus=2 4'],
		['Docker', 'docker run'],
		['Compose', 'services:']
	]) {
		await page.getByRole('tab', { name: tab }).click();
		await page.getByRole('tabpanel').getByText(holds).waitFor();
	}
	await page.getByText('Waiting for far-1 to connect').waitFor();
	const worker = await run(['--server', server.url], { NETWARK_WORKER_TOKEN: token });
	await page
		.getByText('far-1 is connected')
		.waitFor(PATIENCE)
		.catch((error) => {
			throw new Error(`${error.message}\n${worker.log()}`);
		});
	await page.getByRole('link', { name: 'Look at it' }).click();

	const heading = page.getByRole('heading', { level: 1 });
	await heading.getByText('Online').waitFor();
	await page.getByRole('region', { name: 'Can do' }).getByText('ping').waitFor();
	await page.getByRole('button', { name: 'Edit' }).click();
	const form = page.getByRole('region', { name: 'Edit far-1' });
	await form.getByRole('button', { name: 'Set tags' }).click();
	await form.getByLabel('Tags', { exact: true }).fill(`edge, ${'y'.repeat(65)}`);
	await form.getByRole('button', { name: 'Save' }).click();
	await form.getByText('Tags have at most 64 characters each').waitFor();
	await form.getByLabel('Tags', { exact: true }).fill('edge, in the lab');
	await form.getByRole('button', { name: 'Save' }).click();
	await page.getByRole('region', { name: 'About' }).getByText('in the lab').waitFor();
	await page.getByRole('button', { name: 'Edit' }).click();
	await form.getByRole('button', { name: 'Give back to the worker: tags' }).click();
	await form.getByRole('button', { name: 'Save' }).click();
	await page.getByRole('region', { name: 'About' }).getByText('in the lab').waitFor({ state: 'detached' });

	await page.getByRole('button', { name: 'Drain' }).click();
	await heading.getByText('Draining').waitFor(PATIENCE);
	await page.getByRole('button', { name: 'Resume' }).click();
	await heading.getByText('Online').waitFor(PATIENCE);

	await page.getByRole('button', { name: 'Revoke' }).click();
	const dialog = page.getByRole('dialog', { name: 'Revoke far-1?' });
	await dialog.getByRole('textbox').fill('far');
	assert.ok(await dialog.getByRole('button', { name: 'Revoke' }).isDisabled());
	await dialog.getByRole('textbox').fill('far-1');
	await dialog.getByRole('button', { name: 'Revoke' }).click();
	await heading.getByText('Revoked').waitFor(PATIENCE);
	const { code, log } = await worker.ended;
	assert.equal(code, 4, log);

	await page.getByRole('region', { name: 'Events' }).getByText('revoked').waitFor(PATIENCE);
	await page.getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('heading', { name: 'Workers' }).waitFor();
	await page.getByText('1 worker', { exact: true }).waitFor();
	assert.deepEqual(faults, []);
});

test('a worker is paired with a code that is typed', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/workers/new`);
	await page.getByLabel('Name', { exact: true }).fill('typed-1');
	await page.getByText('A pairing code').click();
	await page.getByRole('button', { name: 'Add worker' }).click();
	const code = await page.getByText(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/).textContent();
	await page.getByText(/valid for (10:00|9:\d\d)/).waitFor();
	const worker = await run(['--server', server.url, '--code', code.toLowerCase()]);
	await page
		.getByText('typed-1 is connected')
		.waitFor(PATIENCE)
		.catch((error) => {
			throw new Error(`${error.message}\n${worker.log()}`);
		});
	assert.deepEqual(faults, []);

	await page.goto(`${server.url}/workers/new`);
	await page.getByLabel('Name', { exact: true }).fill('typed-1');
	await page.getByRole('button', { name: 'Add worker' }).click();
	await page.getByText("another worker is named 'typed-1'").first().waitFor();
});

test('a new token ends the old one, and is shown once', async () => {
	const { token, worker } = await ask('POST', '/workers', { name: 'renewed-1' });
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/workers/${worker.id}`);
	await page.getByRole('heading', { level: 1 }).getByText('Never seen').waitFor();
	await page.getByRole('button', { name: 'New token' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Make a new token' }).click();
	const renewed = await page.getByLabel('Token', { exact: true }).textContent();
	assert.match(renewed, /^nww_/);
	assert.notEqual(renewed, token);
	const old = await run(['--server', server.url], { NETWARK_WORKER_TOKEN: token });
	const { code, log } = await old.ended;
	assert.equal(code, 4, log);
	await page.reload();
	await page.getByRole('heading', { level: 1 }).getByText('Never seen').waitFor();
	assert.equal(await page.getByText(renewed).count(), 0);
	assert.deepEqual(faults, []);
});

test('queues are made, changed and deleted; those that always exist are not', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/queues`);
	const table = page.getByRole('region', { name: 'Table of queues' });
	await table.getByText('It always exists and cannot be changed.').first().waitFor();
	assert.equal(await table.getByRole('button').count(), 0);
	for (const [name, wrong] of [
		['', 'Name is needed'],
		['a b', 'Name cannot hold a space'],
		['x'.repeat(201), 'Name has at most 200 characters']
	]) {
		await page.getByLabel('Name', { exact: true }).fill(name);
		await page.getByRole('button', { name: 'Make queue' }).click();
		await page.getByText(wrong).waitFor();
	}
	await page.getByLabel('Name', { exact: true }).fill('lab');
	await page.getByText('It will be netwark.lab.').waitFor();
	await page.getByText('Broadcast', { exact: true }).last().click();
	await page.getByRole('button', { name: 'Make queue' }).click();
	await table.getByRole('link', { name: 'netwark.lab' }).waitFor();
	await page.getByLabel('Name', { exact: true }).fill('netwark.lab');
	await page.getByRole('button', { name: 'Make queue' }).click();
	await page.locator('[aria-invalid=true]').waitFor();

	await table.getByRole('button', { name: 'Edit netwark.lab' }).click();
	await page.getByLabel('Label').fill('The lab');
	await page.getByRole('button', { name: 'Save' }).click();
	await table.getByText('The lab').waitFor();
	await table.getByRole('button', { name: 'Delete netwark.lab' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await table.getByRole('link', { name: 'netwark.lab' }).waitFor({ state: 'detached' });
	assert.deepEqual(faults, []);
});

test('a viewer sees all of it and changes nothing but the own password', async () => {
	await ask('POST', '/users', { name: 'guest', role: 'viewer', password: PASSWORD });
	const [worker] = await ask('GET', '/workers');
	const { page, faults } = await openPage(browser);
	await page.goto(`${server.url}/workers/${worker.id}`);
	const signIn = async (password) => {
		await page.getByLabel('Name').fill('guest');
		await page.getByLabel('Password').fill(password);
		await page.getByRole('button', { name: 'Sign in' }).click();
	};
	await signIn(PASSWORD);
	await page.getByText('Set in the worker’s own configuration').waitFor();
	for (const name of ['Edit', 'Drain', 'New token', 'Revoke', 'Delete']) {
		assert.equal(await page.getByRole('button', { name, exact: true }).count(), 0, name);
	}
	await page.goto(`${server.url}/workers`);
	await page.getByRole('region', { name: 'Table of workers' }).waitFor();
	assert.equal(await page.getByRole('link', { name: 'Add a worker' }).count(), 0);
	await page.goto(`${server.url}/queues`);
	await page.getByRole('region', { name: 'Table of queues' }).waitFor();
	assert.equal(await page.getByRole('button', { name: 'Make queue' }).count(), 0);
	await page.goto(`${server.url}/workers/new`);
	await page.getByText('Only administrators add workers').first().waitFor();

	await page.goto(`${server.url}/`);
	await page.getByRole('button', { name: 'Change password' }).first().click();
	const dialog = page.getByRole('dialog', { name: 'Change your password' });
	await dialog.getByLabel('Current password').fill('not this one');
	await dialog.getByLabel('New password').fill('a longer battery staple');
	await dialog.getByRole('button', { name: 'Change' }).click();
	await dialog.getByText('Current password is not the password of this user').waitFor();
	await dialog.getByLabel('Current password').fill(PASSWORD);
	await dialog.getByLabel('New password').fill('short');
	await dialog.getByRole('button', { name: 'Change' }).click();
	await dialog.getByText(/^New password .*at least 10/).waitFor();
	await dialog.getByLabel('New password').fill('a longer battery staple');
	await dialog.getByRole('button', { name: 'Change' }).click();
	await dialog.waitFor({ state: 'hidden' });
	await page.getByRole('button', { name: 'Sign out' }).first().click();
	await page.getByRole('heading', { name: 'Sign in' }).waitFor();
	await signIn('a longer battery staple');
	await page.getByRole('heading', { name: 'Overview' }).waitFor();
	assert.deepEqual(faults, []);
});
