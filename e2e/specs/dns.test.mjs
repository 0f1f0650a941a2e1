// The page of DNS look-ups, and a question from workers.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openBrowser, openPage, violations } from '../lib/browser.mjs';
import { inspect } from '../lib/inspect.mjs';
import { startNameServer } from '../lib/name-server.mjs';
import { makeAdmin, startServer, startWorker } from '../lib/server.mjs';

let names;
let server;
let browser;
let cookie;
let dir;
let worker;
before(async () => {
	names = await startNameServer({
		'www.example A': ['192.0.2.1', '192.0.2.2'],
		'www.example MX': ['mail.example'],
		// Whoever asks is told something else.
		'split.example A': (turn) => [`192.0.2.${turn}`]
	});
	// The worker may ask a chosen server on loopback only when its list says so.
	dir = await mkdtemp(join(tmpdir(), 'netwark-e2e-'));
	await writeFile(join(dir, 'list.toml'), "content_allow = ['127.0.0.0/8']\n");
	[server, browser] = await Promise.all([
		startServer({
			NETWARK_LOOKUPS__RESOLVERS: names.place,
			NETWARK_WORKER__POLICY_FILE: join(dir, 'list.toml')
		}),
		openBrowser()
	]);
	cookie = await makeAdmin(server);
});
after(async () => {
	await browser?.close();
	await worker?.stop();
	await server?.stop();
	await names?.stop();
	if (dir) await rm(dir, { recursive: true });
});

test('the page before a question', () =>
	inspect(browser, { name: 'dns', url: `${server.url}/lookups/dns`, ready: 'Ask name servers', cookie }));

test('the page with an answer', () =>
	inspect(browser, {
		name: 'dns-answer',
		url: `${server.url}/lookups/dns?q=www.example`,
		ready: '2 A records',
		cookie
	}));

test('a question is asked, linked, and its mistakes are named', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/dns`);
	await page.getByLabel('Name or address').fill('www.example');
	await page.getByRole('combobox', { name: 'Type' }).fill('mx');
	await page.keyboard.press('Enter');
	await page.getByText('10 mail.example.').first().waitFor();
	assert.match(page.url(), /\?q=www\.example&type=mx$/i);
	await page.getByText('Raw text').click();
	await page.getByText(';; ->>HEADER<<-').waitFor();
	assert.deepEqual(await violations(page), []);

	await page.goto(`${server.url}/lookups/dns?q=nowhere.example&type=A`);
	await page.getByText('there is no nowhere.example.').first().waitFor();
	assert.deepEqual(faults, []);

	await page.getByRole('combobox', { name: 'Type' }).fill('ANY');
	await page.getByRole('button', { name: 'Ask', exact: true }).click();
	await page.getByText('Type ANY is not asked').waitFor();
	await page.getByRole('combobox', { name: 'Type' }).fill('A');
	await page.getByLabel('Server').fill('10.0.0.1');
	await page.getByRole('button', { name: 'Ask', exact: true }).click();
	await page.getByText('ask it through a worker that may').waitFor();
});

test('the same question goes to workers', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/dns?q=www.example&type=A&server=${names.place}`);
	await page.getByText('2 A records').first().waitFor();
	await page.getByRole('button', { name: 'Ask from all workers' }).click();
	await page.waitForURL(/\/operations\//);
	await page.getByRole('heading', { level: 1 }).getByText('Done').waitFor();
	await page.getByText('192.0.2.2').first().waitFor();
	assert.deepEqual(await violations(page), []);
	assert.deepEqual(faults, []);
});

test('the form for chosen workers begins with the same question', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/dns?q=www.example&type=MX&dnssec=true`);
	await page.getByRole('link', { name: 'Ask from chosen workers' }).click();
	await page.getByRole('heading', { name: 'New operation' }).waitFor();
	assert.equal(await page.getByLabel('Target').inputValue(), 'www.example');
	assert.equal(await page.getByRole('textbox', { name: 'Type' }).inputValue(), 'MX');
	assert.ok(await page.getByRole('checkbox', { name: /DNSSEC/i }).isChecked());
	assert.deepEqual(faults, []);
});

test('workers that are told different things are told apart', async () => {
	const made = await fetch(`${server.url}/api/v1/workers`, {
		method: 'POST',
		headers: {
			'Content-Type': 'application/json',
			Origin: server.url,
			Cookie: `${cookie.name}=${cookie.value}`
		},
		body: JSON.stringify({ name: 'far-1' })
	});
	assert.equal(made.status, 201);
	const { token, worker: row } = await made.json();
	worker = await startWorker(['--server', server.url], {
		NETWARK_WORKER_TOKEN: token,
		NETWARK_WORKER__POLICY_FILE: join(dir, 'list.toml')
	});
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/workers/${row.id}`);
	// A worker tests itself before it connects, and this machine may be busy.
	await page.getByRole('heading', { level: 1 }).getByText('Online').waitFor({ timeout: 60_000 });
	await page.goto(`${server.url}/lookups/dns?q=split.example&type=A&server=${names.place}`);
	await page.getByText('1 A record').first().waitFor();
	await page.getByRole('button', { name: 'Ask from all workers' }).click();
	await page.waitForURL(/\/operations\//);
	await page.getByRole('heading', { level: 1 }).getByText('Done').waitFor();
	const table = page.getByRole('region', { name: 'What each worker is told' });
	await table.getByText('There are 2 different answers, none of them given to most.').waitFor();
	await table.getByText('A 192.0.2.2').waitFor();
	await table.getByText('A 192.0.2.3').waitFor();
	assert.deepEqual(await violations(page), []);
	assert.deepEqual(faults, []);
});
