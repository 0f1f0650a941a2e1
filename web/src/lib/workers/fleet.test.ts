import { describe, expect, it } from 'vitest';
import type { WorkerState } from '../api/types.ts';
import { worker } from './fixtures.ts';
import {
	clockIsOff,
	clockWords,
	countStates,
	filterWorkers,
	isOlder,
	lookFirst,
	placeOf,
	sortWorkers,
	usedBytes,
	valuesOf
} from './fleet.ts';

const none = { text: '', state: '', tag: '', site: '' };
const paris = worker('paris-1', { site: 'paris', country: 'FR', asn: 64500, tags: ['edge', 'lab'] });
const lyon = worker('lyon-1', { site: 'lyon', location: 'Rue Édouard', tags: ['edge'], state: 'offline' });
const tokyo = worker('tokyo-10', { site: 'tokyo', state: 'draining', load: 3 });
const tokyo2 = worker('tokyo-2', { site: 'tokyo', state: 'enrolled', load: null, last_seen_at: null });
const all = [tokyo, paris, tokyo2, lyon];
const names = (list: { name: string }[]) => list.map((one) => one.name);

describe('filtering workers', () => {
	it('keeps all without a filter', () => expect(filterWorkers(all, none)).toEqual(all));

	it('finds every word anywhere, whatever its case', () => {
		expect(names(filterWorkers(all, { ...none, text: 'AS64500 edge' }))).toEqual(['paris-1']);
		expect(names(filterWorkers(all, { ...none, text: ' rue  édouard ' }))).toEqual(['lyon-1']);
		expect(filterWorkers(all, { ...none, text: 'paris tokyo' })).toEqual([]);
	});

	it('joins state, tag and site', () => {
		expect(names(filterWorkers(all, { ...none, tag: 'edge', state: 'online' }))).toEqual(['paris-1']);
		expect(names(filterWorkers(all, { ...none, site: 'tokyo' }))).toEqual(['tokyo-10', 'tokyo-2']);
		expect(filterWorkers(all, { ...none, site: 'tok' })).toEqual([]);
	});

	it('lists what there is to filter by', () => {
		expect(valuesOf(all, (one) => one.tags)).toEqual(['edge', 'lab']);
		expect(valuesOf(all, (one) => one.site)).toEqual(['lyon', 'paris', 'tokyo']);
		expect(countStates(all).map(({ state }) => state)).toEqual<WorkerState[]>([
			'online',
			'draining',
			'offline',
			'enrolled'
		]);
	});
});

describe('sorting workers', () => {
	it('counts in names', () =>
		expect(names(sortWorkers([tokyo, tokyo2], { by: 'name', down: false }))).toEqual([
			'tokyo-2',
			'tokyo-10'
		]));

	it('puts states in their order and equals by name', () =>
		expect(names(sortWorkers(all, { by: 'state', down: false }))).toEqual([
			'paris-1',
			'tokyo-10',
			'lyon-1',
			'tokyo-2'
		]));

	it('shows first who is missing', () =>
		expect(names(lookFirst(all))).toEqual(['lyon-1', 'tokyo-10', 'paris-1', 'tokyo-2']));

	it('leaves what is unknown at the end in both directions', () => {
		expect(names(sortWorkers(all, { by: 'load', down: true }))).toEqual([
			'tokyo-10',
			'lyon-1',
			'paris-1',
			'tokyo-2'
		]);
		expect(names(sortWorkers(all, { by: 'seen', down: false })).at(-1)).toBe('tokyo-2');
		expect(names(sortWorkers(all, { by: 'seen', down: true })).at(-1)).toBe('tokyo-2');
	});
});

describe('versions and clocks', () => {
	it('compares versions by their numbers', () => {
		expect(isOlder('0.9.0', '0.10.0')).toBe(true);
		expect(isOlder('0.10.0', '0.9.9')).toBe(false);
		expect(isOlder('1.2', '1.2.0')).toBe(false);
		expect(isOlder('1.2.0-rc1', '1.2.1')).toBe(true);
		expect(isOlder('', '1.0')).toBe(true);
		expect(isOlder('unknown', '1.0')).toBe(false);
	});

	it('warns of a clock that is off by more than a second', () => {
		expect(clockIsOff(worker('a', { clock_offset_ms: -1001 }))).toBe(true);
		expect(clockIsOff(worker('a', { clock_offset_ms: 1000 }))).toBe(false);
		expect(clockIsOff(worker('a', { clock_offset_ms: null }))).toBe(false);
		expect([clockWords(2345), clockWords(-40)]).toEqual(['2.3 s ahead', '40 ms behind']);
	});
});

it('adds up the newest month only', () => {
	const usage = [
		{ tool: 'ping', month: '2026-10', bytes_sent: 100, bytes_received: 100 },
		{ tool: 'ping', month: '2026-11', bytes_sent: 5, bytes_received: 4 },
		{ tool: 'mtr', month: '2026-11', bytes_sent: 3, bytes_received: 2 }
	];
	expect(usedBytes(worker('a', { usage }))).toBe(14);
	expect(usedBytes(worker('a'))).toBe(0);
});

it('says once where a worker stands', () => {
	const place = (site: string, location: string) => placeOf(worker('a', { site, location }));
	expect(place('saopaulo', 'S\u00e3o Paulo, SP4')).toBe('S\u00e3o Paulo, SP4');
	expect(place('hq', 'Paris')).toBe('hq, Paris');
	expect([place('', 'Paris'), place('hq', ''), place('', '')]).toEqual(['Paris', 'hq', '']);
});
