import type {
	DnsOutcome,
	HttpOutcome,
	MtrOutcome,
	Operation,
	OperationResult,
	PingOutcome,
	SweepOutcome,
	TcpOutcome,
	TlsOutcome,
	WhoisAnswer
} from '../api/types.ts';
import { duration } from '../format/number.ts';
import { outcomeOf } from './sweep.ts';

/** The payload of a ping that has anything to show. */
export function pingOf(operation: Operation, result: OperationResult): PingOutcome | undefined {
	const payload = result.payload as Partial<PingOutcome> | null;
	return operation.type === 'ping' && Array.isArray(payload?.reports) ? (payload as PingOutcome) : undefined;
}

/** The payload of an mtr that has anything to show. */
export function mtrOf(operation: Operation, result: OperationResult): MtrOutcome | undefined {
	const payload = result.payload as Partial<MtrOutcome> | null;
	return operation.type === 'mtr' && Array.isArray(payload?.trace?.hops)
		? (payload as MtrOutcome)
		: undefined;
}

/** The payload of a tcp that has anything to show. */
export function tcpOf(operation: Operation, result: OperationResult): TcpOutcome | undefined {
	const payload = result.payload as Partial<TcpOutcome> | null;
	return operation.type === 'tcp' && Array.isArray(payload?.reports) ? (payload as TcpOutcome) : undefined;
}

/** Whether the place or the autonomous system of any address in a result is known, so that their source must be named. */
export function isLocated(operation: Operation, result: OperationResult): boolean {
	const responders = mtrOf(operation, result)?.trace.hops.flatMap((hop) => hop.responders) ?? [];
	const known = [...responders, ...(pingOf(operation, result)?.reports ?? [])];
	return known.some(({ asn, place }) => Boolean(asn ?? place));
}

/** The payload of a tls that has anything to show. */
export function tlsOf(operation: Operation, result: OperationResult): TlsOutcome | undefined {
	const payload = result.payload as Partial<TlsOutcome> | null;
	return operation.type === 'tls' && Array.isArray(payload?.reports) ? (payload as TlsOutcome) : undefined;
}

/** The payload of an http that has anything to show. */
export function httpOf(operation: Operation, result: OperationResult): HttpOutcome | undefined {
	const payload = result.payload as Partial<HttpOutcome> | null;
	return operation.type === 'http' && Array.isArray(payload?.reports) ? (payload as HttpOutcome) : undefined;
}

/** The payload of a question to name servers. */
export function dnsOf(operation: Operation, result: OperationResult): DnsOutcome | undefined {
	const payload = result.payload as Partial<DnsOutcome> | null;
	return operation.type === 'dns' && Array.isArray(payload?.answers) ? (payload as DnsOutcome) : undefined;
}

/** The answer of registries that were asked from a worker. */
export function whoisOf(operation: Operation, result: OperationResult): WhoisAnswer | undefined {
	const payload = result.payload as Partial<WhoisAnswer> | null;
	return operation.type === 'whois' && Array.isArray(payload?.steps) ? (payload as WhoisAnswer) : undefined;
}

/** Who was found by a sweep. */
export function sweepOf(operation: Operation, result: OperationResult): SweepOutcome | undefined {
	return operation.type === 'sweep' ? outcomeOf(result) : undefined;
}

/** Why there is nothing measured, or not all of it; undefined when all is as it should be. */
export function excuse(operation: Operation, result: OperationResult): string | undefined {
	const cause = (result.payload as { cause?: unknown } | null)?.cause;
	switch (result.status) {
		case 'pending':
			return `Waits for a worker, at most ${duration(operation.take_within_ms)}.`;
		case 'error':
			return `Could not measure: ${typeof cause === 'string' ? cause : 'the worker gave no cause'}.`.replace(
				/\.\.$/,
				'.'
			);
		case 'timeout':
			return result.started_at
				? `The worker had not reported the end after ${duration(operation.run_within_ms)}. ${result.late ? 'Its report came late and is shown here.' : 'What is shown is the last it reported.'}`
				: `No worker took it within ${duration(operation.take_within_ms)}.`;
		case 'cancelled':
			return 'Cancelled before it ended.';
		default:
			return undefined;
	}
}

/** Results by the queue they came by, in the order the queues were named. */
export function byQueue(
	operation: Operation,
	results: OperationResult[]
): [queue: string, results: OperationResult[]][] {
	const groups = new Map<string, OperationResult[]>(operation.queues.map((queue) => [queue, []]));
	for (const result of results) {
		const group = groups.get(result.queue) ?? [];
		group.push(result);
		groups.set(result.queue, group);
	}
	for (const group of groups.values()) group.sort(byWorker);
	return [...groups].filter(([, group]) => group.length > 0);
}

/** By name; places that still wait for a worker come last. */
function byWorker(a: OperationResult, b: OperationResult): number {
	if (a.worker === null || b.worker === null) return Number(a.worker === null) - Number(b.worker === null);
	return a.worker.localeCompare(b.worker);
}
