// Made-up answers of connections, handshakes and requests, in the shapes of the API.

const verdict = (severity, summary, findings = []) => ({
	severity,
	summary,
	findings: findings.map(([severity, kind, text]) => ({ severity, kind, hop: null, text }))
});

const hex = (seed) => seed.repeat(64).slice(0, 64);

function certificate(subject, issuer, { names = [], seed, days = 60, authority = false }) {
	return {
		subject,
		issuer,
		names,
		more_names: 0,
		serial: '03:a1:7c:44:90:1b',
		not_before: '2026-10-20T08:00:00Z',
		not_after: days < 0 ? '2026-11-01T08:00:00Z' : '2027-01-18T08:00:00Z',
		days_left: days,
		key: authority ? 'RSA 2048' : 'EC P-256',
		signature: 'sha256WithRSAEncryption',
		authority,
		fingerprint: hex(seed),
		key_fingerprint: hex(`${seed}0`)
	};
}

/** A session whose certificate is trusted, or not for these reasons. */
function session(seed, problems = [], days = 60) {
	const names = ['www.example.org', 'example.org', '*.static.example.org'];
	return {
		protocol: 'TLS 1.3',
		cipher: 'TLS13_AES_256_GCM_SHA384',
		key_exchange: 'X25519MLKEM768',
		alpn: 'h2',
		trusted: problems.length === 0,
		problems: problems.map(([kind, text]) => ({ kind, text })),
		chain: [
			certificate('CN=www.example.org', 'C=ZZ, O=Example Trust, CN=Example R1', { names, seed, days }),
			certificate('C=ZZ, O=Example Trust, CN=Example R1', 'C=ZZ, O=Example Trust, CN=Example Root', {
				seed: 'e1',
				days: 900,
				authority: true
			})
		],
		ocsp: {
			status: 'good',
			this_update: '2026-11-25T00:00:00Z',
			next_update: '2026-12-02T00:00:00Z',
			revoked_at: null
		}
	};
}

/** Connections, each as `[fate, time]`. */
export function tcpOutcome(address, fates, said) {
	const attempts = fates.map(([fate, rtt], i) => {
		const attempt = { seq: i + 1, at_ms: i * 1000, fate };
		if (fate === 'filtered')
			return { ...attempt, rtt, from: '198.51.100.1', message: 'administratively prohibited' };
		return fate === 'unanswered' ? attempt : { ...attempt, rtt };
	});
	const count = (fate) => fates.filter(([one]) => one === fate).length;
	const times = fates.flatMap(([fate, rtt]) => (fate === 'connected' ? [rtt] : [])).sort((a, b) => a - b);
	const statistics = {
		attempted: fates.length,
		connected: times.length,
		refused: count('refused'),
		filtered: count('filtered'),
		unanswered: count('unanswered'),
		unsent: 0,
		min: times[0] ?? null,
		average: times.length ? times.reduce((a, b) => a + b, 0) / times.length : null,
		max: times.at(-1) ?? null,
		stddev: times.length ? 0.2 : null,
		median: times[Math.floor(times.length / 2)] ?? null,
		p95: times.at(-1) ?? null
	};
	const report = { address, port: 443, chosen: null, statistics, attempts, verdict: verdict(...said) };
	return { reports: [report], raw: [`TCP ${address}:443`, `${times.length} of ${fates.length} connected`] };
}

/** One handshake. */
export function tlsOutcome(address, { seed = 'ab', problems = [], days = 60, old = false, said }) {
	const offer = (protocol, offered) => ({
		protocol,
		offered,
		reason: offered ? null : 'alert ProtocolVersion'
	});
	const report = {
		address,
		port: 443,
		chosen: 'the only IPv4 address; the name has no IPv6 address',
		server_name: 'www.example.org',
		connect_ms: 11.2,
		handshake_ms: 24.8,
		failure: null,
		session: session(seed, problems, days),
		versions: [
			offer('TLS 1.3', true),
			offer('TLS 1.2', true),
			offer('TLS 1.1', old),
			offer('TLS 1.0', false)
		],
		verdict: verdict(...said)
	};
	return { reports: [report], raw: [`TLS www.example.org (${address} port 443)`] };
}

/** A request to http that is led to https. */
export function httpOutcome(address, { status = 200, seed = 'ab', body = 'c0', slow = 1, said }) {
	const times = (tls) => ({
		name: tls ? null : 3.1,
		connect: 11.2 * slow,
		tls: tls ? 24.8 * slow : null,
		first_byte: 31.4 * slow,
		body: 2.6 * slow,
		total: (tls ? 70 : 48.3) * slow
	});
	const hop = (url, fields) => ({
		url,
		method: 'GET',
		address,
		version: 'HTTP/1.1',
		headers: [],
		body: null,
		tls: null,
		failure: null,
		...fields
	});
	const hops = [
		hop('http://www.example.org/', {
			status: 301,
			reason: 'Moved Permanently',
			timings: times(false),
			headers: [{ name: 'location', value: 'https://www.example.org/' }]
		}),
		hop('https://www.example.org/', {
			status,
			reason: status === 200 ? 'OK' : 'Service Unavailable',
			version: 'HTTP/2',
			timings: times(true),
			headers: [
				{ name: 'content-type', value: 'text/html; charset=utf-8' },
				{ name: 'strict-transport-security', value: 'max-age=31536000' }
			],
			body: {
				bytes: 12_345,
				cut: false,
				sha256: hex(body),
				excerpt: '<!doctype html>\n<title>Example</title>',
				holds_text: null
			},
			tls: session(seed)
		})
	];
	const report = { address, chosen: null, hops, status, total_ms: 118.3 * slow, verdict: verdict(...said) };
	return { reports: [report], raw: hops.map(({ method, url }) => `${method} ${url}`) };
}

/** Hosts of a /24; `swapped` is one that answers with another hardware address, `probed` how far an unfinished one is. */
export function sweepOutcome(count, { swapped, probed } = {}) {
	const vendors = ['Example Networks', 'Acme Printers', 'Initech', null];
	const byte = (number) => number.toString(16).padStart(2, '0');
	const hosts = Array.from({ length: count }, (_, i) => ({
		address: `192.0.2.${i + 1}`,
		mac: `00:00:5e:00:53:${byte(i === swapped ? 0xee : i)}`,
		...(i === 4 ? { other_macs: ['00:00:5e:00:53:dd'] } : {}),
		...(vendors[i % 4] ? { vendor: vendors[i % 4] } : {}),
		source: i % 5 === 4 ? 'icmp' : 'arp',
		rtt: 0.2 + (i % 7) / 10,
		...(i === 0 ? { router: true } : {}),
		...(i === 1 ? { own: true } : {}),
		names: [
			...(i % 3 === 0 ? [{ source: 'dns', text: `host-${i + 1}.example.org` }] : []),
			...(i % 6 === 0 ? [{ source: 'mdns', text: `device-${i + 1}.local` }] : [])
		]
	}));
	const done = probed === undefined;
	return {
		targets: '192.0.2.0/24',
		complete: done,
		total: 254,
		probed: probed ?? 254,
		sent: 468,
		found: count,
		hosts,
		left_out: 0,
		facts: [{ fact: 'gateway', address: '192.0.2.1', mac: '00:00:5e:00:53:00' }],
		links: [],
		notes: [],
		took_ms: 1180,
		found_ms: 640,
		verdict: done
			? verdict(
					'warning',
					`${count} of 254 addresses answer in 192.0.2.0/24; 192.0.2.5 is answered for by 00:00:5e:00:53:04 and 00:00:5e:00:53:dd.`
				)
			: { severity: 'ok', summary: '', findings: [] },
		raw: done ? hosts.map(({ address, mac }) => `${address.padEnd(15)}  ${mac}`) : []
	};
}
