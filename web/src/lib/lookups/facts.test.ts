import { expect, test } from 'vitest';
import type { GeoAnswer, Known, WhoisAnswer } from '../api/types.ts';
import { factsOf } from './facts.ts';

const part = <T>(data: T) => ({ status: 'ok' as const, data, reason: null });
const source = {
	name: 'DBIP-ASN-Lite',
	built: '2026-03-01T00:00:00Z',
	attribution: { text: 'IP Geolocation by DB-IP', url: 'https://db-ip.com', licence: 'CC BY 4.0' }
};
const geoip = (asn: number, as_name: string | null) =>
	({ asn, as_name, place: null, sources: [source] }) as unknown as GeoAnswer;
const told = (parts: unknown) =>
	factsOf({ parts: parts as Known['parts'] }).map(({ title, text, note }) => [title, text, note]);

test('the systems that announce the addresses of a name are told once, with whose the data is', () => {
	const addresses = [
		{ address: '192.0.2.1', special: null, geoip: geoip(64500, 'Example Networks') },
		{ address: '192.0.2.2', special: null, geoip: geoip(64500, 'Example Networks') },
		{ address: '2001:db8::1', special: null, geoip: null }
	];
	expect(told({ addresses: part(addresses) })).toEqual([
		['Addresses', '192.0.2.1, 192.0.2.2, 2001:db8::1', undefined],
		['AS', 'AS64500 Example Networks', 'IP Geolocation by DB-IP']
	]);
});

test('an autonomous system is named by a file, else by its registry', () => {
	const system = { number: 64500, dotted: null, special: null };
	const whois = part({ record: { as_name: 'EXAMPLE-AS' } } as WhoisAnswer);
	expect(told({ system: part({ ...system, name: 'Example', source }), whois })).toEqual([
		['Name', 'Example', 'IP Geolocation by DB-IP']
	]);
	expect(told({ system: part({ ...system, name: null, source: null }), whois })).toEqual([
		['Name', 'EXAMPLE-AS', undefined]
	]);
	expect(told({ system: part({ ...system, name: null, source: null }) })).toEqual([]);
});
