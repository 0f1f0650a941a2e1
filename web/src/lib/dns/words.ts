import type { DnsOutcome, Security, Severity } from '../api/types.ts';

/** How bad a verdict about signatures is. */
export const severityOf: Record<Security, Severity> = {
	secure: 'ok',
	insecure: 'info',
	indeterminate: 'warning',
	bogus: 'alert'
};

/** What each verdict means, for who does not know the word. */
export const meaningOf: Record<Security, string> = {
	secure: 'Signed, without a gap from the root to the answer.',
	insecure:
		'No trust reaches it: a zone on the way is provably not signed, or only in a way that cannot be checked here.',
	indeterminate: 'It could not be found out.',
	bogus: 'It should be signed, and is not or is signed wrongly. Resolvers that check refuse it.'
};

/** A time to live as people say it: `300 s`, `5 min`, `1 h 30 min`, `2 days`. */
export function lifetime(seconds: number): string {
	if (seconds < 600) return `${seconds} s`;
	if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
	if (seconds < 172_800) return `${Number((seconds / 3600).toFixed(1))} h`;
	return `${Number((seconds / 86_400).toFixed(1))} days`;
}

/** Types of records that can be asked for, the usual ones first. */
export const TYPES = [
	'A',
	'AAAA',
	'MX',
	'NS',
	'SOA',
	'TXT',
	'CNAME',
	'PTR',
	'SRV',
	'CAA',
	'HTTPS',
	'SVCB',
	'DS',
	'DNSKEY',
	'TLSA',
	'SSHFP',
	'NAPTR',
	'LOC',
	'URI',
	'DNAME',
	'NSEC',
	'NSEC3PARAM',
	'CDS',
	'CDNSKEY',
	'RRSIG'
];

/** The facts about an answer in short: who, how, how long, how large. */
export function facts({ status, reply }: DnsOutcome): [label: string, value: string][] {
	if (!reply) return [['Status', status ?? 'no answer']];
	return [
		['Status', status ?? 'no answer'],
		['Server', reply.server],
		['By', reply.transport.toUpperCase()],
		['Time, ms', reply.time_ms.toFixed(1)],
		...(reply.connect_ms === null
			? []
			: [['Connection, ms', reply.connect_ms.toFixed(1)] as [string, string]]),
		['Size, bytes', String(reply.size)],
		['Flags', reply.flags.join(' ')],
		...(reply.nsid ? [['Instance', reply.nsid] as [string, string]] : [])
	];
}
