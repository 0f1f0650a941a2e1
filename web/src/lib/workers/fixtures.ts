import type { Worker } from '../api/types.ts';

/** A worker with nothing special about it but what is given. */
export function worker(name: string, fields: Partial<Worker> = {}): Worker {
	return {
		id: `id-${name}`,
		name,
		site: '',
		location: '',
		tags: [],
		version: '0.1.0',
		queues: ['netwark', 'netwark.broadcast'],
		capabilities: { tools: ['ping'], ipv4: true, ipv6: false, raw_sockets: true, missing: [] },
		policy: 'unicast',
		embedded: false,
		online: true,
		state: 'online',
		link: 'websocket',
		coordinates: null,
		country: '',
		asn: null,
		concurrency: 8,
		load: 0.2,
		spool_bytes: 0,
		clock_offset_ms: 0,
		self_test: [],
		usage: [],
		usage_cap_bytes: null,
		unknown_queues: [],
		overrides: {},
		declared: null,
		links: [],
		has_key: false,
		running: 0,
		created_at: '2026-01-01T00:00:00Z',
		last_seen_at: '2026-01-02T00:00:00Z',
		...fields
	};
}
