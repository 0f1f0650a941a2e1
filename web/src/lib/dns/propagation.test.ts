import { describe, expect, test } from 'vitest';
import type { DnsOutcome } from '../api/types.ts';
import { compare } from './propagation.ts';

const told = (worker: string, essence: string[], more: Partial<DnsOutcome> = {}) => ({
	id: worker,
	worker,
	outcome: { status: 'NOERROR', essence, serial: null, ...more } as unknown as DnsOutcome
});

describe('what workers are told', () => {
	test('all the same', () => {
		const { agree, summary, lines } = compare([
			told('paris', ['A 192.0.2.1']),
			told('lyon', ['A 192.0.2.1'])
		]);
		expect(agree).toBe(true);
		expect(summary).toBe('All 2 workers get the same answer.');
		expect(lines.map(({ same, difference }) => [same, difference])).toEqual([
			[true, ''],
			[true, '']
		]);
	});

	test('who differs from most is named, and how', () => {
		const { agree, summary, lines } = compare([
			told('paris', ['A 192.0.2.1', 'A 192.0.2.2']),
			told('nice', ['A 192.0.2.1', 'A 192.0.2.2']),
			told('lyon', ['A 192.0.2.1', 'A 192.0.2.9']),
			told('rome', [], { status: 'NXDOMAIN' }),
			told('oslo', [], { status: null })
		]);
		expect(agree).toBe(false);
		expect(summary).toBe('2 of 5 workers get the same answer; lyon, rome differ. 1 worker got no answer.');
		expect(lines.map(({ difference }) => difference)).toEqual([
			'',
			'',
			'also A 192.0.2.9; lacks A 192.0.2.2',
			'says NXDOMAIN, not NOERROR; lacks A 192.0.2.1, A 192.0.2.2',
			'no answer'
		]);
	});

	test('without a majority nobody is called different', () => {
		const { summary, lines } = compare([told('paris', ['A 192.0.2.1']), told('lyon', ['A 192.0.2.2'])]);
		expect(summary).toBe('There are 2 different answers, none of them given to most.');
		expect(lines.every(({ same }) => same === undefined)).toBe(true);
		expect(compare([told('paris', [], { status: null })]).summary).toBe('Nobody got an answer.');
	});

	test('serial numbers wrap', () => {
		const { lines, summary } = compare([
			told('paris', ['SOA 1'], { serial: 2 }),
			told('lyon', ['SOA 1'], { serial: 4294967295 })
		]);
		expect(lines.map(({ behind }) => behind)).toEqual(['', 'older than 2']);
		expect(summary).toBe('All 2 workers get the same answer. lyon sees an older serial number.');
	});
});
