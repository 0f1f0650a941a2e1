// A watched network with its devices, of the made-up installation.
import { nextId, workers } from './catalog.mjs';
import { json, problem, received } from './http.mjs';

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const network = {
	id: nextId(),
	name: 'Office',
	prefixes: ['192.0.2.0/24', '2001:db8::/64'],
	exclude: [],
	from: 'worker:paris-1',
	interface: null,
	vlan: null,
	interval_ms: 420_000,
	rate_pps: null,
	rate_bps: null,
	share: null,
	passive: true,
	names: true,
	large: false,
	grace_sweeps: 2,
	severities: {},
	dhcp_servers: [],
	routers: [],
	learn_until: null,
	running: true,
	status: 'active',
	problem: null,
	worker_id: workers[0].id,
	worker: workers[0].name,
	last_sweep: null,
	next_sweep_at: ago(-4),
	devices: 60,
	up: 52,
	not_allowed: 9,
	learned: {
		gateways: [{ address: '192.0.2.1', mac: '00:00:5e:00:53:01' }],
		dhcp_servers: [{ address: '192.0.2.1', mac: '00:00:5e:00:53:01' }],
		routers: [{ address: 'fe80::1', mac: '00:00:5e:00:53:01' }]
	},
	link: {
		interface: 'eth0',
		mac: '00:00:5e:00:53:fe',
		speed_mbps: 1000,
		addresses: ['192.0.2.254/24'],
		gateway: '192.0.2.1',
		resolvers: ['192.0.2.53'],
		ssid: null,
		security: null
	},
	created_at: ago(9000),
	created_by: 'user admin'
};
const broken = {
	...network,
	id: nextId(),
	name: 'Warehouse',
	prefixes: ['198.51.100.0/24'],
	status: 'error',
	problem: 'no sweep came for 35 min: its worker oslo-1 is offline',
	up: 0,
	link: null
};
const offer = (worker, prefixes, link, dismissed = false) => ({
	worker_id: worker.id,
	worker: worker.name,
	name: worker.site || worker.name,
	prefixes,
	from: `worker:${worker.name}`,
	link: { ...network.link, addresses: prefixes, ...link },
	dismissed
});
const offers = [
	offer(workers[1], ['10.20.0.0/22', 'fd00:20::/64'], { interface: 'eth1', gateway: '10.20.0.1' }),
	offer(workers[2], ['192.168.8.0/24'], {
		interface: 'wlan0',
		gateway: null,
		ssid: 'Guests',
		security: 'WPA2'
	}),
	offer(workers[2], ['172.30.0.0/24'], { interface: 'eth2', gateway: null }, true)
];
const sweeps = Array.from({ length: 6 }, (_, at) => ({
	id: nextId(),
	worker_id: workers[0].id,
	worker: workers[0].name,
	started_at: ago(3 + 7 * at),
	took_ms: 380 + 13 * at,
	complete: at !== 4,
	probed: 254,
	hosts: 52 - (at % 2),
	newcomers: at === 2 ? 1 : 0,
	gone: at === 3 ? 1 : 0,
	error: at === 4 ? 'the link went down' : null
}));
network.last_sweep = sweeps[0];

const kinds = ['printer', 'phone', 'laptop', 'computer', 'camera', 'nas', 'switch', ''];
const vendors = ['Example Corp', 'Made-up Devices', null, 'Sample Electronics International GmbH'];
const accesses = ['known', 'known', 'known', 'unknown', 'known', 'denied'];
const devices = Array.from({ length: 60 }, (_, at) => {
	const host = at === 0 ? 1 : 10 + at * 3;
	return {
		id: nextId(),
		label: at === 0 ? 'gateway' : `${kinds[at % kinds.length] || 'host'}-${at}`,
		name: at % 7 === 0 ? `${kinds[at % kinds.length] || 'host'}-${at}` : null,
		type: at === 0 ? 'router' : kinds[at % kinds.length],
		type_is_set: false,
		owner: at % 5 === 0 ? 'Facilities' : '',
		notes: at === 0 ? 'Rented until 2028.\nAsk the provider before a restart.' : '',
		tags: at % 4 === 0 ? ['floor-2'] : [],
		criticality: at === 0 ? 'critical' : 'normal',
		severities: { up: null, down: null },
		vendor: vendors[at % vendors.length],
		access: at === 59 ? 'worker' : accesses[at % accesses.length],
		presence: at % 9 === 8 ? 'down' : 'up',
		random_mac: at % 8 === 1,
		macs: [`00:00:5e:00:53:${at.toString(16).padStart(2, '0')}`],
		addresses: [`192.0.2.${host}`, ...(at % 3 === 0 ? [`2001:db8::${host}`] : [])],
		networks: [network.id],
		first_seen_at: ago(8000 - at * 90),
		last_seen_at: ago(at % 9 === 8 ? 190 : 3)
	};
});
const proposal = {
	id: nextId(),
	device_id: devices[9].id,
	label: devices[9].label,
	reason: 'both are called annas-phone by dhcp',
	at: ago(30)
};

function detail(device) {
	const addresses = device.addresses.map((address, at) => ({
		address,
		current: at === 0,
		first_seen_at: device.first_seen_at,
		last_seen_at: device.last_seen_at
	}));
	const one = {
		id: nextId(),
		network_id: network.id,
		network: network.name,
		mac: device.macs[0],
		vendor: device.vendor,
		access: device.access,
		presence: device.presence,
		since: ago(2000),
		missed: 0,
		router: device.type === 'router',
		source: 'arp',
		names: [
			{ source: 'mdns', text: `${device.label}.local`, first_at: ago(5000), last_at: ago(600) },
			{ source: 'dns', text: `${device.label}.example.org`, first_at: ago(5000), last_at: ago(600) }
		],
		addresses,
		first_seen_at: device.first_seen_at,
		last_seen_at: device.last_seen_at
	};
	const other = {
		...one,
		id: nextId(),
		mac: '00:00:5e:00:53:aa',
		presence: 'down',
		names: [],
		addresses: []
	};
	const proposals = device.random_mac ? [proposal] : [];
	return { ...device, interfaces: device.type === 'router' ? [one, other] : [one], proposals };
}

const changes = [
	['address', '192.0.2.70', '192.0.2.1', 'sweep'],
	['name', null, 'gateway', 'user admin']
].map(([field, old, changed, source], at) => ({
	id: nextId(),
	at: ago(90 + 60 * at),
	field,
	old,
	new: changed,
	source,
	network_id: network.id
}));
const presence = [0, 1, 2].map((at) => ({
	id: nextId(),
	network_id: network.id,
	mac: '00:00:5e:00:53:01',
	began_at: ago(4000 * (at + 1)),
	ended_at: at === 0 ? null : ago(4000 * (at + 1) - 3000)
}));

const entries = devices.slice(0, 12).map((device, at) => ({
	id: nextId(),
	action: at % 5 === 4 ? 'deny' : 'allow',
	mac: at === 3 ? '00:00:5e' : device.macs[0],
	vendor: device.vendor,
	note: at === 3 ? 'Everything of this vendor' : device.label,
	networks: at % 4 === 2 ? [network.id] : [],
	expires_at: at === 5 ? '2027-01-31T00:00:00Z' : null,
	created_at: ago(7000),
	created_by: 'user admin'
}));

const counts = (alert, warning, info, ok) => ({ alert, warning, info, ok });
const day = (back) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
const statistics = {
	from: day(6),
	to: day(0),
	timezone: 'Europe/Paris',
	total: counts(3, 22, 91, 6),
	days: [6, 5, 4, 3, 2, 1, 0].map((back) => ({
		day: day(back),
		counts: counts(back % 3 === 0 ? 1 : 0, 2 + (back % 4), 10 + back, back % 2)
	})),
	networks: [
		{ network_id: network.id, network: network.name, counts: counts(3, 20, 70, 6) },
		{ network_id: null, network: null, counts: counts(0, 2, 21, 0) }
	],
	hours: Array.from({ length: 24 }, () => counts(0, 1, 3, 0)),
	busiest: devices.slice(0, 5).map(({ id, label }, at) => ({ device_id: id, label, number: 20 - 3 * at })),
	flapping: devices.slice(8, 10).map(({ id, label }, at) => ({ device_id: id, label, number: 4 - at }))
};
const tallies = {
	types: kinds.map((name, at) => ({ name, number: 12 - at })),
	vendors: vendors.map((name, at) => ({ name: name ?? '', number: 20 - 4 * at })),
	newcomers: statistics.days.map(({ day }, at) => ({ day, number: at % 3 }))
};
const positive = (value) => (value === null ? null : Math.abs(value));
const hours = (most) =>
	Array.from({ length: 24 }, (_, hour) =>
		hour === 3 ? null : Math.round(most * Math.sin((hour + 1) / 8) * 5) / 10
	);
const presenceStatistics = {
	from: day(6),
	to: day(0),
	timezone: 'Europe/Paris',
	most: 52,
	days: [6, 5, 4, 3, 2, 1, 0].map((back) => ({ day: day(back), hours: hours(104 - 9 * back).map(positive) })),
	weekdays: [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({
		weekday,
		hours: hours(110 - 8 * weekday).map(positive)
	}))
};
const plan = devices
	.filter((device) => device.addresses[0])
	.map((device, at) => ({
		address: device.addresses[0],
		current: at % 11 !== 10,
		device_id: device.id,
		label: device.label,
		access: device.access,
		presence: device.presence,
		last_seen_at: device.last_seen_at
	}));

/** Answers what is asked about watched networks; false when it is about something else. */
export function watched(path, url, request, response) {
	if (path === '/networks/offers/dismiss') {
		void received(request).then(({ worker_id, prefixes, dismissed }) => {
			const same = (one) => one.worker_id === worker_id && one.prefixes[0] === prefixes[0];
			offers.find(same).dismissed = dismissed;
			response.writeHead(204).end();
		});
		return true;
	}
	const found = request.method === 'GET' ? answer(path.split('/').slice(1), url.searchParams) : undefined;
	if (found === undefined) return false;
	if (found === null) problem(response, 404, 'There is no such thing');
	else if (found.rows) json(response, 200, found.rows, { 'X-Total-Count': String(found.total) });
	else json(response, 200, found);
	return true;
}

function answer([noun, id, part], query) {
	const page = (rows) => ({ rows, total: rows.length });
	if (noun === 'networks') {
		if (!id) return [network, broken];
		if (id === 'offers') return offers;
		const one = [network, broken].find((one) => one.id === id);
		if (!one) return null;
		return { undefined: one, sweeps, addresses: plan }[part];
	}
	if (noun === 'devices') {
		if (!id) return page(devices.filter((one) => matches(one, query)));
		if (id === 'types') return kinds.filter(Boolean).sort();
		const one = devices.find((one) => one.id === id);
		return one ? { undefined: detail(one), history: changes, presence }[part] : null;
	}
	if (noun === 'access-list' && !id) return page(entries);
	if (noun === 'stats') return { events: statistics, devices: tallies, presence: presenceStatistics }[id];
}

function matches(device, query) {
	const wanted = (name) => query.get(name) ?? '';
	return (
		(!wanted('presence') || device.presence === wanted('presence')) &&
		(!wanted('access') || device.access === wanted('access')) &&
		(!wanted('type') || device.type === wanted('type')) &&
		(device.label + device.addresses.join(' ')).includes(wanted('q'))
	);
}

export const made = { network, devices };
