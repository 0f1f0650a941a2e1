import type { Fact, OperationResult, SweepHost, SweepOutcome } from '../api/types.ts';

/** How an address was found, in words for people. */
const WAYS: Record<string, string> = {
	arp: 'ARP',
	arp_heard: 'ARP, overheard',
	ndp: 'NDP',
	ndp_heard: 'NDP, overheard',
	icmp: 'ping',
	tcp: 'TCP',
	neighbour_table: 'kernel',
	dhcp: 'DHCP',
	mdns: 'mDNS',
	netbios: 'NetBIOS',
	llmnr: 'LLMNR',
	ssdp: 'SSDP'
};

export const way = (source: string): string => WAYS[source] ?? source;

/** The host with everything the table can be searched by, in small letters. */
const searched = (host: SweepHost): string =>
	[
		host.address,
		host.mac,
		host.vendor,
		...(host.other_macs ?? []),
		...(host.names ?? []).map(({ text }) => text),
		way(host.source),
		host.router ? 'router' : ''
	]
		.filter(Boolean)
		.join(' ')
		.toLowerCase();

/** The hosts in which every word of a search stands. */
export function matching(hosts: SweepHost[], search: string): SweepHost[] {
	const words = search.toLowerCase().split(/\s+/).filter(Boolean);
	if (words.length === 0) return hosts;
	return hosts.filter((host) => {
		const text = searched(host);
		return words.every((word) => text.includes(word));
	});
}

/** A fact as a sentence; none for what stands with its host. */
export function factText(fact: Fact): string | undefined {
	switch (fact.fact) {
		case 'gateway':
			return `Gateway ${fact.address} at ${fact.mac}`;
		case 'dhcp_server':
			return `DHCP server ${fact.address}`;
		case 'router_advertisement':
			return `Router ${fact.address} announces ${fact.prefixes.join(', ') || 'no prefix'}`;
		default:
			return undefined;
	}
}

/** How far it is, from 0 to 1; undefined when there is nothing to count. */
export const share = ({ probed, total }: SweepOutcome): number | undefined =>
	total > 0 ? Math.min(1, probed / total) : undefined;

/** One address as several workers see it. */
export interface SeenBy {
	address: string;
	/** By result, in their order: the host, or undefined where it was not found. */
	hosts: (SweepHost | undefined)[];
	/** Not everybody sees the same. */
	differs: boolean;
}

/** What several workers found, by address, in the order of the first that names it. */
export function sideBySide(outcomes: (SweepOutcome | undefined)[]): SeenBy[] {
	const rows = new Map<string, (SweepHost | undefined)[]>();
	outcomes.forEach((outcome, at) => {
		for (const host of outcome?.hosts ?? []) {
			const row = rows.get(host.address) ?? outcomes.map(() => undefined);
			row[at] = host;
			rows.set(host.address, row);
		}
	});
	return [...rows].map(([address, hosts]) => ({ address, hosts, differs: disagree(outcomes, hosts) }));
}

function disagree(outcomes: (SweepOutcome | undefined)[], hosts: (SweepHost | undefined)[]): boolean {
	// Who has found nothing yet, or stopped early, does not say that an address is free.
	const said = hosts.filter((host, at) => host ?? outcomes[at]?.complete);
	const macs = new Set(said.map((host) => host?.mac).filter(Boolean));
	return said.some((host) => !host) || macs.size > 1;
}

/** The outcome of a result, when it has anything to show. */
export function outcomeOf(result: OperationResult): SweepOutcome | undefined {
	const payload = result.payload as Partial<SweepOutcome> | null;
	return Array.isArray(payload?.hosts) ? (payload as SweepOutcome) : undefined;
}
