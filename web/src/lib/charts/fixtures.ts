import type { Hop, HopRtt, Responder, TraceReport } from '../api/types.ts';

const rtt = (average: number): HopRtt => ({
	last: average,
	best: average,
	average,
	worst: average,
	stddev: 0,
	jitter: 0
});

/** Distance, loss in percent, and who answered after how many milliseconds. */
type HopLine = [ttl: number, loss: number, ...responders: [address: string, average: number][]];

/** A trace in a few lines, for tests. */
export function traceOf(target: string, lines: HopLine[], paths: (string | null)[][]): TraceReport {
	const hops: Hop[] = lines.map(([ttl, loss, ...responders]) => ({
		ttl,
		sent: 10,
		received: 10 - loss / 10,
		loss,
		rtt: responders[0] ? rtt(responders[0][1]) : null,
		responders: responders.map(([address, average]): Responder => ({
			address,
			name: null,
			asn: null,
			as_name: null,
			place: null,
			received: 10,
			rtt: rtt(average),
			answer: { kind: address === target ? 'target' : 'time_exceeded' },
			labels: [],
			flows: paths.flatMap((path, flow) => (path.includes(address) ? [flow] : []))
		}))
	}));
	const reached = hops.at(-1)?.responders.some((one) => one.address === target) ?? false;
	return {
		address: target,
		chosen: null,
		protocol: 'icmp',
		cycles: 10,
		reached,
		end: reached ? 'target' : 'silence',
		hops,
		paths: paths.map((path, flow) => ({ flow, hops: path })),
		verdict: { severity: 'ok', summary: '', findings: [] }
	};
}
