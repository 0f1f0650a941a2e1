import type { PartName, Subject } from '../api/types.ts';

/** What each kind is called. */
export const kinds: Record<Subject['kind'], string> = {
	address: 'Address',
	prefix: 'Prefix',
	range: 'Range of addresses',
	name: 'Name',
	as: 'Autonomous system',
	mac: 'MAC address'
};

/** What each part is called. */
export const titles: Record<PartName, string> = {
	special: 'Special purpose',
	ip_calc: 'Network',
	vendor: 'Vendor',
	system: 'AS number',
	geoip: 'Place and AS',
	ptr: 'Reverse name',
	addresses: 'Addresses',
	dns: 'DNS records',
	whois: 'WHOIS'
};

/** Parts that take all the width there is. */
export const broad: PartName[] = ['dns', 'whois'];

/** The target that a measurement of it would have; nothing for what cannot be measured. */
export function targetOf(subject: Pick<Subject, 'kind' | 'resource'>): string | undefined {
	return subject.kind === 'address' || subject.kind === 'name' ? subject.resource : undefined;
}
