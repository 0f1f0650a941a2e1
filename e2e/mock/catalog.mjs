// What the made-up installation consists of: tools, workers, queues.

const BEGAN = Date.now() - 3_600_000;
let serial = 0;

/** The next id; ids rise with time, as UUIDv7 do. */
export const nextId = () => `0193${(0x1000 + serial++).toString(16)}-0000-7000-8000-000000000000`;
/** Milliseconds as the API writes times. */
export const time = (at) => new Date(at).toISOString();

const number = (description, minimum, maximum, fallback) => ({
	type: 'integer',
	description,
	minimum,
	maximum,
	default: fallback
});
const choice = (description, values) => ({ type: 'string', description, enum: values, default: values[0] });
const argument = (option, short, long, value, help) => ({ option, short, long, value, help });
const flag = (name, long, value, reason = null) => ({
	flag: name,
	long,
	value,
	effect: reason ? 'refused' : 'parsed',
	reason
});

const mtr = {
	name: 'mtr',
	title: 'Trace (mtr)',
	summary: 'Measure every hop on the way to a target, cycle after cycle.',
	target: 'An address or a name, such as 192.0.2.1 or example.org.',
	target_kind: 'host',
	schema: {
		properties: {
			cycles: number('How many times the whole way is measured.', 1, 1000, 10),
			interval_ms: number('Time between two cycles; `-i` takes seconds.', 10, 60_000, 1000),
			last_ttl: number('Distance of the last hop that is asked.', 1, 255, 30),
			flows: number('How many flows are traced, to show equal-cost ways.', 1, 16, 1),
			protocol: choice('What the probes are made of.', ['icmp', 'udp', 'tcp']),
			port: {
				type: ['integer', 'null'],
				minimum: 1,
				maximum: 65535,
				description: 'Destination port of UDP and TCP probes.'
			},
			dont_fragment: { type: 'boolean', default: false, description: 'Forbid fragmentation.' }
		}
	},
	arguments: [argument('cycles', '-c', '--report-cycles', 'N', 'How many times the whole way is measured')],
	flags: [flag('-c', '--report-cycles', true), flag('-T', '--tcp', false), flag('-P', '--port', true)]
};

const ping = {
	name: 'ping',
	title: 'Ping',
	summary: 'Send ICMP echo requests and keep every reply.',
	target: 'An address or a name, such as 192.0.2.1 or example.org.',
	target_kind: 'host',
	schema: {
		properties: {
			count: number('How many echo requests are sent to each address.', 1, 10_000, 10),
			interval_ms: number(
				'Time between two requests to the same address; `-i` takes seconds.',
				10,
				600_000,
				1000
			),
			timeout_ms: number('How long a reply is waited for; a later one is counted as late.', 10, 60_000, 2000),
			size: number('Bytes of payload behind the ICMP header.', 0, 65_507, 56),
			ttl: number('Time to live (IPv6: hop limit) of the requests.', 1, 255, 64),
			dont_fragment: { type: 'boolean', default: false, description: 'Forbid fragmentation.' },
			source: { type: ['string', 'null'], description: 'Source address; it must belong to the worker.' },
			family: choice('Which addresses of a name are pinged.', ['auto', '4', '6', 'all'])
		}
	},
	arguments: [
		argument('count', '-c', '--count', 'N', 'How many echo requests are sent to each address'),
		argument('interval_ms', '-i', '--interval', 'SECONDS', 'Time between two requests'),
		argument('v4', '-4', '--ipv4', null, 'IPv4 only'),
		argument('v6', '-6', '--ipv6', null, 'IPv6 only')
	],
	flags: [
		flag('-c', null, true),
		flag('-i', null, true),
		flag('-4', null, false),
		flag('-6', null, false),
		flag('-f', null, false, 'flood ping is not offered; use -i')
	]
};

export const tools = [mtr, ping];

const selfTest = [
	{ what: 'loopback', passed: true, detail: '0.03 ms', takes_away: [] },
	{ what: 'ICMP to the gateway 192.0.2.1', passed: true, detail: '0.4 ms', takes_away: [] },
	{ what: 'DNS by 192.0.2.53', passed: true, detail: '2.1 ms', takes_away: [] }
];

const worker = (name, location, fields = {}) => ({
	id: nextId(),
	name,
	site: name.split('-')[0],
	location,
	tags: ['edge'],
	version: '0.1.0',
	unknown_queues: [],
	queues: ['netwark', 'netwark.broadcast', `netwark.${name.split('-')[0]}`],
	capabilities: { tools: ['ping', 'mtr'], ipv4: true, ipv6: true, raw_sockets: true, missing: [] },
	policy: 'unicast, private and loopback',
	embedded: false,
	online: true,
	state: 'online',
	link: 'websocket',
	coordinates: null,
	country: '',
	asn: null,
	concurrency: 8,
	load: 0.18,
	spool_bytes: 0,
	clock_offset_ms: 3,
	self_test: selfTest,
	usage: [
		{ tool: 'ping', month: '2026-11', bytes_sent: 3_400_000, bytes_received: 3_100_000 },
		{ tool: 'mtr', month: '2026-11', bytes_sent: 9_800_000, bytes_received: 5_200_000 }
	],
	usage_cap_bytes: null,
	overrides: {},
	declared: {
		name,
		site: name.split('-')[0],
		location,
		tags: ['edge'],
		queues: ['netwark', 'netwark.broadcast']
	},
	links: [
		{
			interface: 'eth0',
			mac: '00:00:5e:00:53:fe',
			speed_mbps: 1000,
			addresses: ['192.0.2.254/24'],
			gateway: '192.0.2.1',
			resolvers: ['192.0.2.53'],
			ssid: null,
			security: null
		}
	],
	has_key: false,
	running: 0,
	created_at: time(BEGAN),
	last_seen_at: time(Date.now() - 3000),
	...fields
});

const at = (latitude, longitude, country, asn = null) => ({
	coordinates: { latitude, longitude },
	country,
	asn
});

const missing = [
	{
		what: 'TCP traces',
		why: 'raw sockets need CAP_NET_RAW',
		remedy: 'sudo setcap cap_net_raw+ep /usr/local/bin/netwark'
	}
];

export const workers = [
	worker('embedded', 'In the server', {
		site: '',
		embedded: true,
		link: 'embedded',
		capabilities: { tools: ['ping', 'mtr'], ipv4: true, ipv6: false, raw_sockets: false, missing }
	}),
	worker('paris-1', 'Paris, TH2', {
		...at(48.8566, 2.3522, 'FR', 64500),
		usage_cap_bytes: 25_000_000,
		overrides: { location: 'Paris, TH2', tags: ['edge'] },
		declared: {
			name: 'paris-1',
			site: 'paris',
			location: 'th2-rack-12',
			coordinates: { latitude: 48.8566, longitude: 2.3522 },
			country: 'FR',
			asn: 64500,
			tags: ['debian'],
			queues: ['netwark', 'netwark.broadcast', 'netwark.paris']
		}
	}),
	worker('paris-2', 'Paris, PA3', {
		...at(48.92, 2.33, 'FR', 64500),
		state: 'draining',
		running: 1,
		load: 1.4
	}),
	worker('lyon-1', 'Lyon, Rock', { ...at(45.75, 4.85, 'FR', 64501), running: 2, tags: ['edge', 'lab'] }),
	worker('frankfurt-1', 'Frankfurt, FRA6', {
		...at(50.11, 8.68, 'DE', 64502),
		clock_offset_ms: 2340,
		version: '0.0.9',
		link: 'amqp',
		has_key: true
	}),
	worker('tokyo-1', 'Tokyo, CC1', {
		...at(35.68, 139.69, 'JP', 64503),
		online: false,
		state: 'offline',
		spool_bytes: 1_250_000,
		last_seen_at: time(BEGAN),
		self_test: [
			...selfTest.slice(0, 2),
			{
				what: 'DNS by 192.0.2.53',
				passed: false,
				detail: 'no answer within 2 s',
				takes_away: ['dns', 'http']
			}
		]
	}),
	worker('saopaulo-1', 'São Paulo, SP4', { ...at(-23.55, -46.63, 'BR', 64504), asn: 4_200_000_001 }),
	worker('capetown-1', '', {
		...at(-33.92, 18.42, 'ZA'),
		state: 'enrolled',
		declared: null,
		online: false,
		version: '',
		link: '',
		load: null,
		concurrency: 0,
		capabilities: { tools: [], ipv4: false, ipv6: false, raw_sockets: false, missing: [] },
		policy: '',
		self_test: [],
		usage: [],
		clock_offset_ms: null,
		last_seen_at: null
	}),
	worker('newyork-1', 'New York, 60 Hudson', {
		...at(40.72, -74.01, 'US', 64505),
		state: 'revoked',
		online: false,
		last_seen_at: time(BEGAN)
	}),
	worker('sydney-1', 'Sydney, SY1', at(-33.87, 151.21, 'AU', 64506))
];

const event = (minutesAgo, severity, kind, name, text) => ({
	id: nextId(),
	at: time(Date.now() - minutesAgo * 60_000),
	severity,
	kind,
	worker_id: workers.find((one) => one.name === name)?.id ?? null,
	worker: name,
	text
});

/** The timeline, oldest first. */
export const events = [
	...Array.from({ length: 60 }, (_, i) =>
		event(
			3000 - i,
			i % 2 ? 'ok' : 'warning',
			i % 2 ? 'worker_online' : 'worker_offline',
			'lyon-1',
			i % 2 ? 'lyon-1 is online' : 'lyon-1 is offline: nothing heard for 50 s'
		)
	),
	event(1500, 'info', 'worker_enrolled', 'capetown-1', 'capetown-1 was enrolled by admin'),
	event(200, 'info', 'worker_revoked', 'newyork-1', 'newyork-1 was revoked by admin'),
	event(61, 'warning', 'worker_offline', 'tokyo-1', 'tokyo-1 is offline: nothing heard for 50 s'),
	event(40, 'alert', 'spool_gap', 'tokyo-1', 'tokyo-1 dropped 120 reports: its spool was full'),
	event(12, 'info', 'worker_drained', 'paris-2', 'paris-2 drains: told so by admin'),
	{
		...event(6, 'info', 'worker_deleted', 'rome-1', 'rome-1 was deleted by admin'),
		worker_id: '0192ffff-0000-7000-8000-000000000000'
	},
	event(2, 'ok', 'worker_online', 'sydney-1', 'sydney-1 is online')
];

const queue = (name, label, online, count, fields = {}) => ({
	queue: name,
	name: label,
	location: '',
	broadcast: false,
	builtin: false,
	origin: 'configuration',
	workers: count,
	online,
	...fields
});

export const queues = [
	queue('netwark', 'Any one worker', 6, 9, { builtin: true, origin: 'builtin' }),
	queue('netwark.broadcast', 'Every worker', 6, 9, { builtin: true, origin: 'builtin', broadcast: true }),
	queue('netwark.paris', 'Paris', 1, 1, { location: 'Paris, TH2' }),
	queue('netwark.lyon', 'Lyon', 1, 1, { location: 'Lyon, Rock', origin: 'ui' }),
	queue('netwark.attic', 'The attic', 0, 1, { origin: 'ui' }),
	queue('netwark.lab', 'The lab', 0, 0, { broadcast: true, origin: 'ui' })
];
