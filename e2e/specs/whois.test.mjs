// The page that asks registries, which here are a server on loopback.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openBrowser, openPage } from '../lib/browser.mjs';
import { inspect } from '../lib/inspect.mjs';
import { makeAdmin, startServer } from '../lib/server.mjs';

const ANSWERS = {
	'example.tld': [
		'Domain Name: EXAMPLE.TLD',
		'Registrar: Example Registrar Ltd',
		'Registrar URL: https://registrar.example',
		'Registrar Abuse Contact Email: abuse@registrar.example',
		'Creation Date: 2001-02-03T04:05:06Z',
		'Registry Expiry Date: 2019-01-02T03:04:05Z',
		'Registrant Organization: Bücher & Söhne',
		'Name Server: ns1.example.tld',
		'Domain Status: clientTransferProhibited https://icann.org/epp#clientTransferProhibited',
		'DNSSEC: unsigned'
	].join('\r\n')
};

let registry;
let directory;
let server;
let browser;
let cookie;
before(async () => {
	registry = createServer((socket) => {
		socket.on('error', () => {});
		socket.once('data', (line) => socket.end(ANSWERS[line.toString().trim()] ?? 'No match\r\n'));
	});
	await new Promise((resolve) => registry.listen(0, '127.0.0.1', resolve));
	directory = await mkdtemp(join(tmpdir(), 'netwark-whois-'));
	const rows = join(directory, 'registries');
	await writeFile(rows, `whois 127.0.0.1:${registry.address().port} tld\n`);
	[server, browser] = await Promise.all([
		startServer({ NETWARK_LOOKUPS__REGISTRIES_FILE: rows }),
		openBrowser()
	]);
	cookie = await makeAdmin(server);
});
after(async () => {
	await browser?.close();
	await server?.stop();
	registry?.close();
	if (directory) await rm(directory, { recursive: true, force: true });
});

test('the empty page', () =>
	inspect(browser, {
		name: 'whois',
		url: `${server.url}/lookups/whois`,
		ready: 'Nothing asked yet',
		cookie
	}));

test('an answer', () =>
	inspect(browser, {
		name: 'whois-answer',
		url: `${server.url}/lookups/whois?q=www.example.tld`,
		ready: 'Bücher & Söhne',
		cookie
	}));

test('a domain is asked about, told, and asked about again', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/whois`);
	await page.getByLabel('Domain, address, prefix or AS number').fill('Example.tld');
	await page.keyboard.press('Enter');
	await page.getByText('is registered through Example Registrar Ltd').waitFor();
	assert.equal(new URL(page.url()).search, '?q=Example.tld', 'the answer can be linked');
	await page.getByText(/expired \d+ years ago/).waitFor();
	await page.getByText('Not signed').waitFor();
	await page.getByText('WHOIS', { exact: true }).last().click();
	await page
		.getByLabel(/^Answer of 127\.0\.0\.1/)
		.getByText('Registrant Organization: Bücher & Söhne')
		.waitFor();
	await page.getByRole('button', { name: 'Ask again' }).click();
	await page.getByText('is registered through Example Registrar Ltd').waitFor();
	assert.deepEqual(faults, []);
});

test('what nobody has, what is not there, and nonsense', async () => {
	const { page } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups/whois?q=10.1.2.3`);
	await page.getByText('Private-Use (RFC 1918)').waitFor();
	await page.goto(`${server.url}/lookups/whois?q=nowhere.tld`);
	await page.getByText('nowhere.tld is not registered').waitFor();
	await page.goto(`${server.url}/lookups/whois?q=1.2.3`);
	await page.getByText('looks like an address but is none').waitFor();
});
