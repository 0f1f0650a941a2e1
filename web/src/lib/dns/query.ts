import type { DnsQuery } from '../api/client.ts';
import type { NewOperation, Transport } from '../api/types.ts';

/** The question in the address of the page. */
export function queryOf(params: URLSearchParams): DnsQuery {
	const text = (name: string) => params.get(name)?.trim() ?? '';
	return {
		q: text('q'),
		type: text('type').toUpperCase(),
		server: text('server'),
		transport: text('transport') as Transport,
		dnssec: params.get('dnssec') === 'true',
		trace: params.get('trace') === 'true'
	};
}

/** The address of the page that asks a question; defaults are left away. */
export function addressOf(query: DnsQuery): string {
	const set = Object.entries(query).filter(
		([, value]) => value !== '' && value !== false && value !== undefined
	);
	const params = new URLSearchParams(set.map(([name, value]) => [name, String(value)]));
	return params.size > 0 ? `?${params}` : '';
}

/** The operation that asks the same from workers. */
export function operationOf({ q, type, server, transport, dnssec, trace }: DnsQuery): NewOperation {
	const given = { type, nameserver: server, transport, dnssec, trace };
	const options = Object.fromEntries(Object.entries(given).filter(([, value]) => Boolean(value)));
	return { type: 'dns', target: q, ...(Object.keys(options).length > 0 ? { options } : {}) };
}
