import { describe, expect, it } from 'vitest';
import type { SweepHost, SweepOutcome } from '../api/types.ts';
import { factText, matching, share, sideBySide, way } from './sweep.ts';

const host = (address: string, more: Partial<SweepHost> = {}) =>
	({ address, source: 'arp', ...more }) as SweepHost;
const outcome = (complete: boolean, ...hosts: SweepHost[]) => ({ complete, hosts }) as SweepOutcome;

describe('hosts of a sweep', () => {
	it('are found by every word of a search, whatever its case', () => {
		const hosts = [
			host('192.0.2.1', { vendor: 'Example Works', names: [{ source: 'dns', text: 'gw.example' }] }),
			host('192.0.2.2', { mac: '00:00:5e:00:53:02', router: true })
		];
		const found = (search: string) => matching(hosts, search).map(({ address }) => address);
		expect(found('')).toHaveLength(2);
		expect(found('EXAMPLE gw')).toEqual(['192.0.2.1']);
		expect(found('53:02 router')).toEqual(['192.0.2.2']);
		expect(found('gw router')).toEqual([]);
	});

	it('are compared by who sees them, and by their hardware addresses', () => {
		const differs = (...outcomes: (SweepOutcome | undefined)[]) =>
			sideBySide(outcomes).map((row) => [row.address, row.differs]);
		const one = host('192.0.2.1', { mac: 'a' });
		expect(differs(outcome(true, one), outcome(true, one))).toEqual([['192.0.2.1', false]]);
		expect(differs(outcome(true, one), outcome(true))).toEqual([['192.0.2.1', true]]);
		expect(differs(outcome(true, one), outcome(false))).toEqual([['192.0.2.1', false]]);
		expect(differs(outcome(true, one), undefined)).toEqual([['192.0.2.1', false]]);
		expect(differs(outcome(true, one), outcome(true, host('192.0.2.1', { mac: 'b' })))).toEqual([
			['192.0.2.1', true]
		]);
		expect(differs(outcome(true, one), outcome(true, host('192.0.2.1')))).toEqual([['192.0.2.1', false]]);
	});
});

describe('words of a sweep', () => {
	it('say how it stands', () => {
		expect(share({ probed: 5, total: 10 } as SweepOutcome)).toBe(0.5);
		expect(share({ probed: 0, total: 0 } as SweepOutcome)).toBeUndefined();
		expect(way('neighbour_table')).toBe('kernel');
		expect(way('later')).toBe('later');
		expect(factText({ fact: 'gateway', address: '192.0.2.1', mac: '00:00:5e:00:53:01' })).toBe(
			'Gateway 192.0.2.1 at 00:00:5e:00:53:01'
		);
		expect(factText({ fact: 'conflict', address: '192.0.2.1', macs: [] })).toBeUndefined();
	});
});
