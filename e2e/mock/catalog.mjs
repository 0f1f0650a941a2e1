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
	summary: 'Measures every hop on the way to a target, cycle after cycle.',
	target: 'An address or a name, such as 192.0.2.1 or example.org.',
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
	summary: 'Sends ICMP echo requests and keeps every reply.',
	target: 'An address or a name, such as 192.0.2.1 or example.org.',
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

const worker = (name, location, fields = {}) => ({
	id: nextId(),
	name,
	site: name.split('-')[0],
	location,
	tags: ['edge'],
	version: '0.1.0',
	queues: ['netwark', 'netwark.broadcast', `netwark.${name.split('-')[0]}`],
	capabilities: { tools: ['ping', 'mtr'], ipv4: true, ipv6: true, raw_sockets: true, missing: [] },
	policy: 'unicast, private and loopback',
	embedded: false,
	online: true,
	running: 0,
	created_at: time(BEGAN),
	last_seen_at: time(Date.now() - 3000),
	...fields
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
		embedded: true,
		capabilities: { tools: ['ping', 'mtr'], ipv4: true, ipv6: false, raw_sockets: false, missing }
	}),
	worker('paris-1', 'Paris, TH2'),
	worker('lyon-1', 'Lyon, Rock', { running: 2 }),
	worker('tokyo-1', 'Tokyo, CC1', { online: false, last_seen_at: time(BEGAN) })
];

const queue = (name, label, online, count, fields = {}) => ({
	queue: name,
	name: label,
	location: '',
	broadcast: false,
	builtin: false,
	workers: count,
	online,
	...fields
});

export const queues = [
	queue('netwark', 'Any one worker', 3, 4, { builtin: true }),
	queue('netwark.broadcast', 'Every worker', 3, 4, { builtin: true, broadcast: true }),
	queue('netwark.paris', 'Paris', 1, 1, { location: 'Paris, TH2' }),
	queue('netwark.lyon', 'Lyon', 1, 1, { location: 'Lyon, Rock' })
];
