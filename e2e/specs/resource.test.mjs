// Everything known of a name, an address and an AS number, with a name server and a registry on loopback.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openBrowser, openPage, violations } from '../lib/browser.mjs';
import { inspect } from '../lib/inspect.mjs';
import { startNameServer } from '../lib/name-server.mjs';
import { makeAdmin, startServer } from '../lib/server.mjs';

const sample = (name) =>
	fileURLToPath(new URL(`../../crates/lookup/tests/data/geoip/${name}`, import.meta.url));
const ANSWERS = {
	'www.tld': [
		'Domain Name: WWW.TLD',
		'Registrar: Example Registrar Ltd',
		'Creation Date: 2001-02-03T04:05:06Z',
		'Name Server: ns1.example.tld'
	],
	AS3333: ['aut-num: AS3333', 'as-name: EXAMPLE-AS', 'org-name: Example Networks']
};

let registry;
let names;
let directory;
let server;
let browser;
let cookie;
before(async () => {
	registry = createServer((socket) => {
		socket.on('error', () => {});
		socket.once('data', (line) => socket.end((ANSWERS[line.toString().trim()] ?? ['No match']).join('\r\n')));
	});
	await new Promise((resolve) => registry.listen(0, '127.0.0.1', resolve));
	names = await startNameServer({
		'www.tld A': ['192.0.2.1', '198.51.100.7'],
		'www.tld MX': ['mail.tld'],
		'www.tld TXT': [`v=spf1 ${'include:a-long-name-of-somebody.example '.repeat(5)}-all`]
	});
	directory = await mkdtemp(join(tmpdir(), 'netwark-resource-'));
	const rows = join(directory, 'registries');
	await writeFile(rows, `whois 127.0.0.1:${registry.address().port} tld AS3333\n`);
	[server, browser] = await Promise.all([
		startServer({
			NETWARK_LOOKUPS__RESOLVERS: names.place,
			NETWARK_LOOKUPS__REGISTRIES_FILE: rows,
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
	await names?.stop();
	registry?.close();
	if (directory) await rm(directory, { recursive: true, force: true });
});

for (const [name, query, ready] of [
	['lookup-name', 'www.tld', 'Example Registrar Ltd'],
	['lookup-missing', 'nowhere.tld', 'there is no nowhere.tld.'],
	['lookup-address', '192.0.2.1', 'no registry gives it out'],
	['lookup-system', 'AS3333', 'Named so by its registry']
]) {
	test(`everything known of ${query}`, () =>
		inspect(browser, { name, url: `${server.url}/lookups?q=${query}`, ready, cookie }));
}

test('a name has records, places and a holder', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups?q=https://www.tld/x`);
	const dns = page.getByRole('region', { name: 'DNS records' });
	await dns.getByRole('cell', { name: '10 mail.tld.' }).waitFor();
	await dns.getByText('There are none of AAAA, CNAME, NS, SOA, CAA.').waitFor();
	const addresses = page.getByRole('region', { name: 'Addresses' });
	await addresses.getByText('Lyon, Rhône, France').waitFor();
	await addresses.getByText('Hanse Net').waitFor();
	await addresses.getByRole('group', { name: 'Map of 2 addresses' }).waitFor();
	await addresses.getByRole('link', { name: 'IP Geolocation by DB-IP' }).waitFor();
	const whois = page.getByRole('region', { name: 'WHOIS' });
	await whois.getByText('ns1.example.tld').first().waitFor();
	await whois.getByText(/^127\.0\.0\.1:/).click();
	await whois.getByText('Domain Name: WWW.TLD').waitFor();
	assert.deepEqual(await violations(page), []);
	for (const [part, name] of [
		[dns, 'mail.tld.'],
		[addresses, '198.51.100.7'],
		[whois, 'ns1.example.tld']
	]) {
		const link = part.getByRole('link', { name, exact: true }).first();
		await link.hover();
		await page.getByRole('group', { name: `What is known of ${name}` }).waitFor();
		assert.ok((await link.getAttribute('href')).endsWith(`/lookups?q=${name}`));
	}
	await dns.getByRole('link', { name: 'More types and servers' }).click();
	await page.getByText('2 A records').first().waitFor();
	assert.deepEqual(faults, []);
});

test('what a registry denies is shown in its words', async () => {
	const { page, faults } = await openPage(browser, { cookie });
	await page.goto(`${server.url}/lookups?q=nowhere.tld`);
	const whois = page.getByRole('region', { name: 'WHOIS' });
	await whois.getByText(/^127\.0\.0\.1:/).click();
	await whois.getByText('No match', { exact: true }).waitFor();
	assert.deepEqual(faults, []);
});
