import { describe, expect, it } from 'vitest';
import type { PlannedAddress } from '../api/types.ts';
import { blocks, cells, toAddress, toNumber } from './plan.ts';

describe('the address plan', () => {
	it('reads and writes addresses', () => {
		expect(toAddress(toNumber('192.0.2.7')!)).toBe('192.0.2.7');
		expect(toNumber('2001:db8::1')).toBeUndefined();
		expect(toNumber('192.0.2.256')).toBeUndefined();
	});

	it('cuts prefixes into networks of 256 addresses', () => {
		expect(blocks(['192.0.2.0/24', '2001:db8::/64'])).toEqual(['192.0.2.0/24']);
		expect(blocks(['198.51.100.0/23'])).toEqual(['198.51.100.0/24', '198.51.101.0/24']);
		expect(blocks(['192.0.2.64/26', '192.0.2.128/26'])).toEqual(['192.0.2.0/24']);
		expect(blocks(['10.0.0.0/8'], 3)).toHaveLength(3);
	});

	it('says of every address who has it', () => {
		const used = (address: string, more: Partial<PlannedAddress>) =>
			({ address, current: true, access: 'unknown', ...more }) as PlannedAddress;
		const all = cells('192.0.2.0/24', [
			used('192.0.2.1', { access: 'known' }),
			used('192.0.2.2', {}),
			used('192.0.2.3', { current: false, access: 'denied' })
		]);
		expect(all).toHaveLength(256);
		expect(all.slice(0, 5).map(({ state }) => state)).toEqual(['unswept', 'known', 'seen', 'gone', 'free']);
	});

	it('tells what is free from what is not swept', () => {
		const states = (prefixes: string[], exclude: string[] = []) =>
			cells('192.0.2.0/24', [], prefixes, exclude).map(({ state }) => state);
		const free = (prefixes: string[], exclude?: string[]) =>
			states(prefixes, exclude).filter((state) => state === 'free').length;
		expect(free(['192.0.2.0/24'])).toBe(254);
		expect(free(['192.0.2.0/23'])).toBe(255);
		expect(free(['192.0.2.64/26', '2001:db8::/64'])).toBe(62);
		expect(free(['192.0.2.0/24'], ['192.0.2.128/25'])).toBe(127);
		expect(free(['192.0.2.7/32'])).toBe(1);
		expect(states(['192.0.2.64/26'])[64]).toBe('unswept');
	});
});
