// Made-up measurements in the shapes of the API: what a real network of this size would take too long to give.

const round = (value) => Math.round(value * 1000) / 1000;

/** Numbers that look random and are the same every time. */
function random(seed) {
	let state = Math.floor(seed);
	return () => {
		state = (state * 1103515245 + 12345) % 2147483648;
		return state / 2147483648;
	};
}

/** The first `upTo` of `count` requests; `lost` and `late` name the sequences that fared so. */
export function pingOutcome(address, { count, base, spread, lost = [], late = [] }, upTo = count) {
	const replies = repliesOf({ count, base, spread, lost, late }, upTo);
	const rtts = replies.flatMap((one) => (one.fate === 'reply' ? [one.rtt] : [])).sort((a, b) => a - b);
	const at = (share) => rtts[Math.max(0, Math.ceil(rtts.length * share) - 1)] ?? null;
	const loss = round(((upTo - rtts.length) / Math.max(1, upTo)) * 100);
	const statistics = {
		transmitted: upTo,
		received: rtts.length,
		unsent: 0,
		duplicates: 0,
		late: replies.filter((one) => one.fate === 'late').length,
		reordered: 0,
		errors: 0,
		loss,
		min: at(0),
		average: rtts.length ? round(rtts.reduce((a, b) => a + b, 0) / rtts.length) : null,
		max: at(1),
		stddev: rtts.length ? round(spread / 5) : null,
		jitter: rtts.length ? round(spread / 6) : null,
		median: at(0.5),
		p95: at(0.95),
		p99: at(0.99)
	};
	const { transmitted, received, duplicates, min, max, average } = statistics;
	const reports = [
		{ address, chosen: null, statistics, replies, verdict: pingVerdict(address, loss, at(0.5)) }
	];
	return {
		transmitted,
		received,
		duplicates,
		loss,
		min,
		max,
		average,
		raw: pingText(address, replies, loss),
		reports
	};
}

function repliesOf({ count, base, spread, lost, late }, upTo) {
	const next = random(count + base);
	return Array.from({ length: upTo }, (_, i) => {
		const request = { seq: i + 1, at_ms: i * 1000 };
		const rtt = round(base + next() ** 3 * spread);
		if (lost.includes(i + 1)) return { ...request, fate: 'lost' };
		if (late.includes(i + 1)) return { ...request, fate: 'late', rtt: round(base + spread * 1.4) };
		return { ...request, fate: 'reply', rtt, ttl: 57, from: null, duplicates: 0, kernel: true };
	});
}

function pingVerdict(address, loss, median) {
	const finding = (severity, kind, text) => ({ severity, kind, hop: null, text });
	if (loss === 0) {
		const findings = [finding('ok', 'healthy', 'every request was answered')];
		return { severity: 'ok', summary: `${address} answers every request, median ${median} ms.`, findings };
	}
	const findings = [
		finding('warning', 'target_loss', `${loss}% of the requests went unanswered`),
		finding('info', 'late_replies', 'one reply came after the timeout')
	];
	return { severity: 'warning', summary: `${address} loses ${loss}% of the packets.`, findings };
}

function pingText(address, replies, loss) {
	const received = replies.filter((one) => one.fate === 'reply').length;
	return [
		`PING ${address} 56(84) bytes of data.`,
		...replies.map((one) =>
			one.fate === 'reply'
				? `64 bytes from ${address}: icmp_seq=${one.seq} ttl=57 time=${one.rtt} ms`
				: `no answer yet for icmp_seq=${one.seq}`
		),
		'',
		`--- ${address} ping statistics ---`,
		`${replies.length} packets transmitted, ${received} received, ${loss}% packet loss`
	];
}

const rttAround = (average) => ({
	last: round(average * 1.02),
	best: round(average * 0.93),
	average: round(average),
	worst: round(average * 1.25 + 0.4),
	stddev: round(average * 0.06),
	jitter: round(average * 0.05)
});

/** `lines`: distance, loss in percent, and who answered: address, milliseconds, name, AS, labels. */
export function mtrOutcome(worker, target, lines, paths, verdict) {
	const hops = lines.map(([ttl, loss, ...responders]) => ({
		ttl,
		sent: 10,
		received: Math.round(10 - loss / 10),
		loss,
		rtt: responders.length ? rttAround(responders[0][1]) : null,
		responders: responders.map(([address, average, name = null, asn = null, labels = []]) => ({
			address,
			name,
			asn,
			received: Math.max(1, Math.round((10 - loss / 10) / responders.length)),
			rtt: rttAround(average),
			answer: { kind: address === target ? 'target' : 'time_exceeded' },
			labels,
			flows: paths.flatMap((path, flow) => (path.includes(address) ? [flow] : []))
		}))
	}));
	const reached = hops.at(-1).responders.some((one) => one.address === target);
	const trace = {
		address: target,
		chosen: null,
		protocol: 'icmp',
		cycles: 10,
		reached,
		end: reached ? 'target' : 'silence',
		hops,
		paths: paths.map((path, flow) => ({ flow, hops: path })),
		verdict
	};
	return { ...mtrReport(worker, target, hops), trace };
}

function mtrReport(worker, target, hops) {
	const hubs = hops.map((hop) => ({
		count: hop.ttl,
		host: hop.responders[0]?.address ?? '???',
		ASN: 'AS???',
		'Loss%': hop.loss,
		Snt: hop.sent,
		Last: hop.rtt?.last ?? 0,
		Avg: hop.rtt?.average ?? 0,
		Best: hop.rtt?.best ?? 0,
		Wrst: hop.rtt?.worst ?? 0,
		StDev: hop.rtt?.stddev ?? 0
	}));
	const raw = [
		`HOST: ${worker.padEnd(34)} Loss%`,
		...hubs.map(
			(hub) => `${String(hub.count).padStart(3)}.|-- ${hub.host.padEnd(32)} ${hub['Loss%'].toFixed(1)}%`
		)
	];
	return { report: { mtr: { src: worker, dst: target }, hubs }, raw };
}
