import { describe, expect, it } from 'vitest';
import { expiry, groups, pageAddress, readable, span } from './facts.ts';

const DAY = 24 * 3600 * 1000;
const now = Date.parse('2026-11-26T12:00:00Z');

describe('spans', () => {
	it('are told in the largest unit that says enough', () => {
		expect([0.5, 1, 59, 61, 700, 731, 10_000].map((days) => span(days * DAY))).toEqual([
			'less than a day',
			'1 day',
			'59 days',
			'2 months',
			'23 months',
			'2 years',
			'27 years'
		]);
	});
});

describe('expiry', () => {
	it('warns when it is near or over', () => {
		expect(expiry('2026-12-06', now)).toEqual({ note: 'in 9 days', warn: true });
		expect(expiry('2027-11-26T12:00:00Z', now)).toEqual({ note: 'in 12 months', warn: false });
		expect(expiry('2026-11-20', now)).toEqual({ note: 'expired 6 days ago', warn: true });
		expect(expiry('soon', now)).toEqual({ note: '', warn: false });
	});
});

describe('facts', () => {
	it('leave out what a registry does not say', () => {
		const shown = groups(
			{ domain: 'example.org', created: '2016-10-01', dnssec: 'unsigned', status: [] },
			now
		);
		expect(shown).toEqual([
			{
				title: 'Dates',
				facts: [{ label: 'Created', values: ['2016-10-01'], as: 'time', note: '10 years ago' }]
			},
			{ title: 'Delegation', facts: [{ label: 'DNSSEC', values: ['Not signed'], as: undefined }] }
		]);
	});
});

describe('raw answers', () => {
	it('of RDAP get a line for each value', () => {
		expect(readable({ protocol: 'rdap', raw: '{"a":1}' })).toBe('{\n  "a": 1\n}');
		expect(readable({ protocol: 'rdap', raw: '<html>' })).toBe('<html>');
		expect(readable({ protocol: 'whois', raw: '{"a":1}' })).toBe('{"a":1}');
	});
});

describe('pages', () => {
	it('are linked over http and https only', () => {
		expect(pageAddress('www.example.org')).toBe('http://www.example.org/');
		expect(pageAddress('https://example.org/x')).toBe('https://example.org/x');
		expect(pageAddress('javascript:alert(1)')).toBeUndefined();
		expect(pageAddress('http://')).toBeUndefined();
	});
});
