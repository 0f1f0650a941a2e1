import type { IpAnswer, IpInside } from '../../api/types.ts';

/** A line of what is told. */
export interface Fact {
	label: string;
	value: string;
	/** Further lines of the same. */
	more?: string[];
	/** True when it is no address, number or name, and so not set in the type of those. */
	words?: true;
}

/** Lines under a heading. */
export interface Group {
	title: string;
	facts: Fact[];
}

/** More zones than these are told by their first and last. */
const MOST_ZONES = 8;

/** A number in digits, grouped for reading: `18,446,744,073,709,551,616`. */
export function grouped(digits: string): string {
	return /^\d+$/.test(digits) ? BigInt(digits).toLocaleString('en') : digits;
}

/** How many addresses a network has, as a power of two where the digits are many. */
export function count(digits: string): string {
	const value = BigInt(digits);
	const bits = value.toString(2);
	const isPower = /^10*$/.test(bits);
	return isPower && bits.length > 17 ? `${grouped(digits)} (2^${bits.length - 1})` : grouped(digits);
}

/** A number of hosts where there is little room: `254`, `2^64 - 1`. */
export function brief(digits: string): string {
	const above = BigInt(digits) + 1n;
	const bits = above.toString(2);
	return /^10*$/.test(bits) && bits.length > 33 ? `2^${bits.length - 1} - 1` : grouped(digits);
}

/** How many addresses hosts may have, exactly. */
export function usable(answer: Pick<IpAnswer, 'usable_ips' | 'usable_ips_text'>): string {
	return grouped(answer.usable_ips_text ?? String(answer.usable_ips));
}

/** Everything that is told of an address and its network, in groups. */
export function groups(answer: IpAnswer): Group[] {
	return [
		{ title: 'Network', facts: network(answer) },
		{ title: 'Address', facts: address(answer) },
		{ title: 'Reverse DNS', facts: reverse(answer) }
	];
}

/** A line for each value that is there. */
function facts(...lines: [label: string, value: string | null | undefined, words?: true][]): Fact[] {
	return lines.flatMap(([label, value, words]) => (value ? [{ label, value, ...(words && { words }) }] : []));
}

function network(answer: IpAnswer): Fact[] {
	const { ipv4 } = answer;
	return facts(
		['Network', answer.prefix],
		['Netmask', answer.netmask && ipv4 ? `${answer.netmask} = ${ipv4.netmask_hex}` : undefined],
		['Wildcard mask', ipv4?.wildcard],
		['First host', answer.first_ip],
		['Last host', answer.last_ip],
		['Broadcast', answer.broadcast],
		['Last address', answer.broadcast || answer.end === answer.last_ip ? undefined : answer.end],
		['Hosts', usable(answer)],
		['Addresses', count(answer.addresses)],
		['Kind', kind(answer), true],
		['Holds', parts(answer), true]
	);
}

function kind({ kind: name, special }: IpAnswer): string {
	return special ? `${name} (${special.block}, ${special.rfc})` : name;
}

function parts({ special_parts: special = [] }: IpAnswer): string {
	const shown = special.slice(0, 3).map(({ block, name }) => `${block} ${name}`);
	const more = special.length - shown.length;
	return shown.join(', ') + (more > 0 ? ` and ${more} more special blocks` : '');
}

function address(answer: IpAnswer): Fact[] {
	const { ipv4, ipv6 } = answer;
	const inside = (ipv6?.inside ?? []).map((one) => contained(one));
	return [
		...facts(
			['Address', answer.address],
			['In full', ipv6?.expanded],
			['On the Internet', answer.public ? 'public' : 'not public', true],
			['Class', ipv4?.class],
			['As a netmask', ipv4?.as_netmask ? `/${ipv4.as_netmask}` : undefined],
			['Integer', answer.integer],
			['Hexadecimal', answer.hex],
			['Multicast scope', ipv6?.multicast_scope, true],
			['Multicast MAC', answer.multicast_mac],
			['Interface identifier', ipv6?.interface_id],
			['Solicited-node', ipv6?.solicited_node],
			[
				'EUI-64 of MAC',
				ipv6?.eui64 &&
					`${ipv6.eui64.mac} (${ipv6.eui64.universal ? 'given by its maker' : 'made up locally'})`
			],
			['IPv4 inside', inside[0]]
		),
		...facts(...inside.slice(1).map((one): [string, string] => ['and', one])),
		...facts(['IPv4-mapped', ipv4?.mapped], ['6to4', ipv4?.six_to_four], ['NAT64', ipv4?.nat64])
	];
}

/** The address that a MAC address makes in an IPv6 network. */
export function madeOf({ ipv6 }: Pick<IpAnswer, 'ipv6'>): Fact[] {
	const made = ipv6?.eui64;
	if (!made) return [];
	return [
		{ label: 'Address', value: made.address },
		{
			label: 'MAC address',
			value: made.mac,
			more: [made.universal ? 'given by its maker' : 'made up locally']
		}
	];
}

/** An IPv4 address that stands inside, and how. */
export function contained({ address: v4, mechanism, server, port, cone }: IpInside): string {
	const teredo = server ? `, port ${port}, server ${server}${cone ? ', cone NAT' : ''}` : '';
	return `${v4} by ${mechanism}${teredo}`;
}

function reverse({ reverse: { name, zones, delegation } }: IpAnswer): Fact[] {
	const many = zones.length > MOST_ZONES;
	const shown = many ? [`${zones.length} zones`, `from ${zones[0]}`, `to ${zones.at(-1)}`] : zones;
	const told: Fact[] = [
		{ label: 'PTR name', value: name },
		{ label: zones.length > 1 ? 'Zones' : 'Zone', value: shown[0] ?? '', more: shown.slice(1) }
	];
	if (delegation) {
		const { zone, zone_without_slash: other, record } = delegation;
		told.push({ label: 'Delegated (RFC 2317)', value: zone, more: [`or ${other}`, record] });
	}
	return told;
}

/** The bits of an address in groups, each with whether it belongs to the network. */
export function bitGroups(binary: string, length: number): { bit: string; network: boolean }[][] {
	let at = 0;
	return binary
		.split(/[.:]/)
		.map((group) => [...group].map((bit) => ({ bit, network: (at += 1) <= length })));
}
