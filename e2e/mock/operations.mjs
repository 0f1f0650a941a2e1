// Operations of the made-up installation, one of each kind a page has to show.
import { nextId, time } from './catalog.mjs';
import { httpOutcome, sweepOutcome, tcpOutcome, tlsOutcome } from './answers.mjs';
import { mtrOutcome, pingOutcome } from './measurements.mjs';

export const operations = new Map();

/** Adds an operation; results are `[worker, status, payload]`. */
export function add(type, target, results, fields = {}) {
	const made = Date.now() - Math.max(0, 60_000 * (20 - operations.size * 3));
	const counts = { pending: 0, progress: 0, done: 0, error: 0, timeout: 0, cancelled: 0 };
	for (const [, status] of results) counts[status] += 1;
	const running = counts.progress + counts.pending > 0;
	const operation = {
		id: nextId(),
		type,
		status: running ? 'progress' : counts.done ? 'done' : 'error',
		target,
		options: null,
		from: null,
		queues: ['netwark.broadcast'],
		created_at: time(made),
		updated_at: time(made + 10_000),
		finished_at: running ? null : time(made + 10_240),
		typed_options: type === 'ping' ? { count: 60, interval_ms: 1000 } : { cycles: 10, interval_ms: 1000 },
		take_within_ms: 60_000,
		run_within_ms: 42_000,
		same_workers_as: null,
		created_by: 'user admin',
		version: 3,
		counts,
		skipped: [{ worker: 'tokyo-1', queue: 'netwark.broadcast', reason: 'offline' }],
		...fields
	};
	operation.results = results.map(([worker, status, payload]) =>
		resultOf(operation, worker, status, payload)
	);
	operations.set(operation.id, operation);
	return operation;
}

function resultOf(operation, worker, status, payload) {
	const open = status === 'progress' || status === 'pending';
	return {
		id: nextId(),
		status,
		worker,
		queue: operation.queues[0],
		payload,
		created_at: operation.created_at,
		updated_at: operation.updated_at,
		started_at: status === 'timeout' && !payload ? null : operation.created_at,
		finished_at: open ? null : operation.finished_at,
		late: false,
		version: operation.version
	};
}

const T = '192.0.2.80';
const fine = (hop) => ({
	severity: 'ok',
	summary: `The target answers at hop ${hop}, nothing is lost.`,
	findings: []
});
const limited = {
	severity: 'info',
	summary: 'The target answers every probe; hop 3 limits its replies, harmless.',
	findings: [
		{ severity: 'info', kind: 'rate_limit', hop: 3, text: 'hop 3 limits its replies (40%), harmless' },
		{ severity: 'info', kind: 'latency_step', hop: 7, text: '+14 ms between hops 4 and 7' },
		{ severity: 'info', kind: 'equal_cost', hop: 3, text: 'three equal ways at hop 3' }
	]
};
const lossy = {
	severity: 'warning',
	summary: 'Loss of 10% begins at hop 4 and goes on to the target.',
	findings: []
};
const label = [{ label: 24001, tc: 0, bottom: true, ttl: 1 }];

const paris = mtrOutcome(
	'paris-1',
	T,
	[
		[1, 0, ['10.1.0.1', 0.4, 'gw.paris.example', 64500]],
		[2, 0, ['198.51.100.1', 1.3, 'core1.example.net', 64501, label]],
		[
			3,
			40,
			['203.0.113.1', 3.3, 'be1.example.net', 64502],
			['203.0.113.2', 3.9, null, 64502],
			['203.0.113.3', 4.4, null, 64502]
		],
		[4, 0, ['203.0.113.65', 5.2, 'edge.example.net', 64502]],
		[5, 100],
		[6, 100],
		[7, 0, [T, 19.4, 'www.example.org', 64510]]
	],
	['203.0.113.1', '203.0.113.2', '203.0.113.3'].map((one) => [
		'10.1.0.1',
		'198.51.100.1',
		one,
		'203.0.113.65',
		null,
		null,
		T
	]),
	limited
);
const lyon = mtrOutcome(
	'lyon-1',
	T,
	[
		[1, 0, ['10.2.0.1', 0.6]],
		[2, 0, ['198.51.100.9', 6.1]],
		[3, 0, ['198.51.100.1', 7.0]],
		[4, 10, ['203.0.113.2', 9.0]],
		[5, 0, ['203.0.113.65', 10.2]],
		[6, 100],
		[7, 100],
		[8, 10, [T, 25]]
	],
	[['10.2.0.1', '198.51.100.9', '198.51.100.1', '203.0.113.2', '203.0.113.65', null, null, T]],
	lossy
);
const near = mtrOutcome(
	'embedded',
	T,
	[
		[1, 0, ['10.3.0.1', 0.3]],
		[2, 0, ['203.0.113.65', 2.2]],
		[3, 100],
		[4, 100],
		[5, 0, [T, 16]]
	],
	[['10.3.0.1', '203.0.113.65', null, null, T]],
	fine(5)
);

/** Hop `i` of worker `w`: its own way first, then one of four carriers, then one way for all. */
function address(w, i) {
	if (i === 29) return T;
	if (i > 17) return `203.0.113.${i}`;
	return i > 6 ? `198.51.${w % 4}.${i}` : `10.${w}.0.${i + 1}`;
}

const twenty = Array.from({ length: 20 }, (_, w) => {
	const path = Array.from({ length: 30 }, (_, i) => address(w, i));
	const name = `site-${String(w + 1).padStart(2, '0')}`;
	const lines = path.map((one, i) => [i + 1, i === 12 ? 10 : 0, [one, 1 + i * 1.3]]);
	return [name, 'done', mtrOutcome(name, T, lines, [path], fine(30))];
});

const answers = { answers: [{ name: 'example.org', ttl: 300, data: T }], rcode: 'NOERROR', took_ms: 12 };

const trusted = [
	'ok',
	`${T} port 443 speaks TLS 1.3 and its certificate is trusted for www.example.org, 60 days left.`
];
const answered = ['ok', 'https://www.example.org/ answers 200 OK after 1 redirect, in 118 ms over HTTP/2.'];

/** The operations by what they show. */
export const shown = {
	cut: add('ping', T, [
		['embedded', 'done', pingOutcome(T, { count: 60, base: 11.2, spread: 3 })],
		['lyon-1', 'error', { cause: 'no socket' }],
		['paris-1', 'timeout', pingOutcome(T, { count: 60, base: 4.1, spread: 2 }, 20)]
	]),
	away: add('ping', T, [
		['paris-1', 'done', pingOutcome(T, { count: 60, base: 4.1, spread: 2 })],
		['tokyo-1', 'progress', pingOutcome(T, { count: 60, base: 98, spread: 9 }, 12)]
	]),
	unanswered: add('ping', '192.0.2.254', [['paris-1', 'timeout', null]], { status: 'timeout' }),
	tcp: add('tcp', 'www.example.org:443', [
		[
			'embedded',
			'done',
			tcpOutcome(
				T,
				[11.2, 11.4, 11.1, 11.9].map((time) => ['connected', time]),
				['ok', `${T} port 443 takes connections, 4 of 4, median 11.4 ms.`]
			)
		],
		[
			'paris-1',
			'done',
			tcpOutcome(
				T,
				[
					['connected', 4.1],
					['unanswered', 0],
					['connected', 4.3],
					['connected', 4.2]
				],
				['warning', `${T} port 443 took 3 of 4 connections, median 4.20 ms.`]
			)
		],
		[
			'lyon-1',
			'done',
			tcpOutcome(
				T,
				[
					['filtered', 2.1],
					['filtered', 2.2]
				],
				['alert', `${T} port 443 is filtered: 198.51.100.1 says administratively prohibited.`]
			)
		]
	]),
	sweep: add('sweep', '192.0.2.0/24', [
		['embedded', 'done', sweepOutcome(40)],
		['paris-1', 'done', sweepOutcome(39, { swapped: 7 })],
		['lyon-1', 'progress', sweepOutcome(12, { probed: 120 })]
	]),
	tls: add('tls', 'www.example.org', [
		['embedded', 'done', tlsOutcome(T, { said: trusted })],
		['paris-1', 'done', tlsOutcome(T, { said: trusted })],
		[
			'lyon-1',
			'done',
			tlsOutcome('203.0.113.80', {
				seed: 'd4',
				days: -25,
				old: true,
				problems: [['expired', 'the certificate ended 25 days ago, on 2026-11-01']],
				said: [
					'alert',
					'203.0.113.80 port 443 makes a handshake, but its certificate is not trusted.',
					[
						['alert', 'certificate_dates', 'the certificate ended 25 days ago, on 2026-11-01'],
						['warning', 'old_version', 'the server still offers TLS 1.1, which RFC 8996 deprecates']
					]
				]
			})
		]
	]),
	http: add('http', 'http://www.example.org/', [
		['embedded', 'done', httpOutcome(T, { said: answered })],
		['paris-1', 'done', httpOutcome(T, { slow: 0.4, said: answered })],
		[
			'lyon-1',
			'done',
			httpOutcome('203.0.113.80', {
				status: 503,
				body: 'd9',
				said: [
					'alert',
					'https://www.example.org/ answers 503 Service Unavailable after 1 redirect, in 118 ms.'
				]
			})
		]
	]),
	other: add('made-up', 'example.org', [['paris-1', 'done', answers]]),
	wide: add('mtr', T, twenty),
	mtr: add(
		'mtr',
		T,
		[
			['paris-1', 'done', paris],
			['lyon-1', 'done', lyon],
			['embedded', 'done', near]
		],
		{ options: { flows: 3 } }
	),
	ping: add('ping', 'www.example.org', [
		['embedded', 'done', pingOutcome(T, { count: 60, base: 11.2, spread: 3 })],
		['paris-1', 'done', pingOutcome(T, { count: 60, base: 4.1, spread: 9, lost: [14, 15, 37], late: [38] })],
		['lyon-1', 'error', { cause: 'the name www.example.org does not exist' }]
	])
};
