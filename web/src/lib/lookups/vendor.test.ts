import { describe, expect, it } from 'vitest';
import type { MacVendor } from '../api/types.ts';
import { isOne, meaningOf, notesOf, questionsOf } from './vendor.ts';

const answer = (more: Partial<MacVendor>): MacVendor => ({ query: 'x', kind: 'mac', ...more });

describe('what was pasted', () => {
	it('is lines to ask about and lines to search', () => {
		const pasted = '00:00:0c:12:34:56\n\n Cisco Systems \n? (192.0.2.1) at 8:0:27:1:2:3 [ether] on eth0\n';
		expect(questionsOf(pasted)).toEqual({
			resources: ['00:00:0c:12:34:56', 'Cisco Systems'],
			text: '? (192.0.2.1) at 8:0:27:1:2:3 [ether] on eth0'
		});
	});

	it('is one question or many', () => {
		expect(isOne(' Raspberry Pi\n')).toBe(true);
		expect(isOne('192.0.2.7 lladdr 00:00:0c:01:02:03 REACHABLE')).toBe(false);
		expect(isOne('a\nb')).toBe(false);
		expect(isOne('')).toBe(false);
	});
});

describe('an answer', () => {
	it('says what the bits mean', () => {
		expect(notesOf(answer({ local: true, randomised: true, slap: 'aai' }))).toEqual([
			'Locally administered, probably randomised'
		]);
		expect(notesOf(answer({ local: true, slap: 'sai', multicast: true }))).toEqual([
			'Locally administered',
			'Assigned by a protocol (SAI)',
			'Multicast'
		]);
		expect(notesOf(answer({ local: false, multicast: false }))).toEqual([]);
	});

	it('says what the address is known for', () => {
		expect(
			meaningOf(answer({ known: { kind: 'redundancy', name: 'VRRP', detail: 'virtual router 7' } }))
		).toBe('VRRP: virtual router 7');
		expect(meaningOf(answer({ known: { kind: 'virtual', name: 'Xen' } }))).toBe('Xen');
		expect(meaningOf(answer({}))).toBe('');
	});
});
