import { describe, expect, it } from 'vitest';
import type { IpAnswer } from '../../api/types.ts';
import { bitGroups, brief, contained, count, groups, grouped, usable } from './facts.ts';

const ANSWER = {
	network: '192.0.2.64',
	netmask: '255.255.255.192',
	cidr: 26,
	usable_ips: 62,
	first_ip: '192.0.2.65',
	last_ip: '192.0.2.126',
	broadcast: '192.0.2.127',
	version: 4,
	read_as: 'prefix',
	address: '192.0.2.77',
	prefix: '192.0.2.64/26',
	end: '192.0.2.127',
	addresses: '64',
	integer: '3221226061',
	hex: '0xc000024d',
	binary: { address: '', mask: '' },
	kind: 'Documentation (TEST-NET-1)',
	special: {
		block: '192.0.2.0/24',
		name: 'Documentation (TEST-NET-1)',
		rfc: 'RFC 5737',
		globally_reachable: false
	},
	public: false,
	reverse: {
		name: '77.2.0.192.in-addr.arpa',
		zones: ['2.0.192.in-addr.arpa'],
		delegation: {
			zone: '64/26.2.0.192.in-addr.arpa',
			zone_without_slash: '64-127.2.0.192.in-addr.arpa',
			parent: '2.0.192.in-addr.arpa',
			record: '77.2.0.192.in-addr.arpa. CNAME 77.64/26.2.0.192.in-addr.arpa.'
		}
	},
	ipv4: {
		wildcard: '0.0.0.63',
		netmask_hex: '0xffffffc0',
		class: 'C',
		mapped: '::ffff:192.0.2.77',
		six_to_four: '2002:c000:24d::/48',
		nat64: '64:ff9b::c000:24d'
	}
} as IpAnswer;

describe('what is told of an address', () => {
	it('is told in groups, without what is not there', () => {
		const told = Object.fromEntries(groups(ANSWER).map(({ title, facts }) => [title, facts]));
		const value = (group: string, label: string) => told[group]?.find((fact) => fact.label === label)?.value;
		expect(value('Network', 'Netmask')).toBe('255.255.255.192 = 0xffffffc0');
		expect(value('Network', 'Kind')).toBe('Documentation (TEST-NET-1) (192.0.2.0/24, RFC 5737)');
		expect(value('Network', 'Last address')).toBeUndefined();
		expect(value('Address', 'On the Internet')).toBe('not public');
		expect(value('Address', 'In full')).toBeUndefined();
		expect(value('Reverse DNS', 'Delegated (RFC 2317)')).toBe('64/26.2.0.192.in-addr.arpa');
	});

	it('tells many zones by the first and the last', () => {
		const zones = Array.from({ length: 128 }, (_, n) => `${n}.10.in-addr.arpa`);
		const [, , reverse] = groups({ ...ANSWER, reverse: { ...ANSWER.reverse, zones } });
		expect(reverse?.facts[1]).toEqual({
			label: 'Zones',
			value: '128 zones',
			more: ['from 0.10.in-addr.arpa', 'to 127.10.in-addr.arpa']
		});
	});

	it('never rounds a count', () => {
		expect(grouped('18446744073709551616')).toBe('18,446,744,073,709,551,616');
		expect(count('18446744073709551616')).toBe('18,446,744,073,709,551,616 (2^64)');
		expect(count('256')).toBe('256');
		expect(brief('18446744073709551615')).toBe('2^64 - 1');
		expect(brief('16777214')).toBe('16,777,214');
		expect(usable({ usable_ips: 1.8446744073709552e19, usable_ips_text: '18446744073709551615' })).toBe(
			'18,446,744,073,709,551,615'
		);
	});

	it('says how an IPv4 address stands inside', () => {
		expect(contained({ address: '192.0.2.4', mechanism: '6to4' } as never)).toBe('192.0.2.4 by 6to4');
		const teredo = {
			address: '192.0.2.45',
			mechanism: 'Teredo',
			server: '192.0.2.1',
			port: 40000,
			cone: true
		};
		expect(contained(teredo as never)).toBe('192.0.2.45 by Teredo, port 40000, server 192.0.2.1, cone NAT');
	});

	it('tells the bits of the network from those of hosts', () => {
		const bits = bitGroups('11000000.00000000', 9);
		expect(bits.map((group) => group.length)).toEqual([8, 8]);
		expect(bits.flat().filter(({ network }) => network)).toHaveLength(9);
	});
});
