import { describe, expect, it } from 'vitest';
import type { GeoAnswer, GeoPlace } from '../../api/types.ts';
import { readAddresses } from './addresses.ts';
import { isOld, missing, placeWords, sourcesOf } from './words.ts';

const nowhere: GeoPlace = {
	network: null,
	city: null,
	regions: [],
	country: null,
	registered_country: null,
	continent: null,
	postal_code: null,
	coordinates: null,
	accuracy_km: null,
	time_zone: null
};

describe('addresses', () => {
	it('are read from whatever stands between them, each once', () => {
		expect(readAddresses(' 192.0.2.1, 2001:db8::1;\n192.0.2.1\t198.51.100.1 ')).toEqual([
			'192.0.2.1',
			'2001:db8::1',
			'198.51.100.1'
		]);
		expect(readAddresses(' ,; ')).toEqual([]);
	});
});

describe('places in words', () => {
	it('say what is known, and nothing twice', () => {
		const country = { code: 'FR', name: 'France' };
		expect(placeWords({ ...nowhere, city: 'Lyon', regions: ['Rhône'], country })).toBe('Lyon, Rhône, France');
		expect(placeWords({ ...nowhere, city: 'Bremen', regions: ['Bremen'], country })).toBe('Bremen, France');
		expect(placeWords({ ...nowhere, country: { code: 'DE', name: null } })).toBe('Germany');
		expect(placeWords({ ...nowhere, country: { code: 'Q9', name: null } })).toBe('Q9');
		expect(placeWords({ ...nowhere, continent: { code: 'EU', name: 'Europe' } })).toBe('Europe');
	});

	it('tell no file from an address that no file lists', () => {
		expect(missing('places', 'no_file')).toContain('no file of places');
		expect(missing('places', 'unlisted')).toBe('No file of places lists this address.');
		expect(missing('places', 'unreadable')).toContain('damaged');
	});
});

describe('sources', () => {
	it('are named once, and are old after a quarter of a year', () => {
		const source = (name: string) => ({ name, built: '2026-03-01T00:00:00Z', attribution: null });
		const answer = (...names: string[]) => ({ sources: names.map(source) }) as GeoAnswer;
		expect(sourcesOf([answer('a', 'b'), answer('b')]).map(({ name }) => name)).toEqual(['a', 'b']);
		expect(isOld('2026-03-01T00:00:00Z', Date.parse('2026-05-29T00:00:00Z'))).toBe(false);
		expect(isOld('2026-03-01T00:00:00Z', Date.parse('2026-06-01T00:00:00Z'))).toBe(true);
	});
});
