import type { Hop, Operation, OperationResult, Severity, TraceReport } from '../api/types.ts';

type Counts = Operation['counts'];

/** How many results have ended, whatever came of them. */
export function ended({ done, error, timeout, cancelled }: Counts): number {
	return done + error + timeout + cancelled;
}

/** How many results there are to be. */
export function expected(counts: Counts): number {
	return ended(counts) + counts.pending + counts.progress;
}

/** What keeps a `done` operation from being whole: `2 of 3 failed`. Empty when every worker measured. */
export function shortfall({ counts }: Pick<Operation, 'counts'>): string {
	const failed = counts.error + counts.timeout;
	const parts = [
		...(failed > 0 ? [`${failed} of ${expected(counts)} failed`] : []),
		...(counts.cancelled > 0 ? [`${counts.cancelled} of ${expected(counts)} cancelled`] : [])
	];
	return parts.join(', ');
}

/** How many results ended in which way: `1 done, 2 timeout`. */
export function countWords(counts: Counts): string {
	const ways = ['done', 'error', 'timeout', 'cancelled', 'progress', 'pending'] as const;
	const words = { progress: 'running', pending: 'waiting' };
	return ways
		.filter((way) => counts[way] > 0)
		.map((way) => `${counts[way]} ${way in words ? words[way as keyof typeof words] : way}`)
		.join(', ');
}

/** Why a measurement is not a whole one; its samples speak only of a part of the time. */
export interface Cut {
	/** In a word or two, such as `timed out`. */
	word: string;
	/** What leads over to what was measured all the same. */
	lead: string;
	severity: Severity;
}

/** What cut a result short; undefined when it ended well or its worker is at it. `away`: names of workers that are not connected. */
export function cutOf(result: OperationResult, away: ReadonlySet<string> = new Set()): Cut | undefined {
	const lead = 'Until then:';
	switch (result.status) {
		case 'timeout':
			return result.late
				? { word: 'timed out', lead: 'Its late report says:', severity: 'warning' }
				: { word: 'timed out', lead, severity: 'warning' };
		case 'error':
			return { word: 'failed', lead, severity: 'alert' };
		case 'cancelled':
			return { word: 'cancelled', lead, severity: 'info' };
		case 'progress':
			return result.worker !== null && away.has(result.worker)
				? { word: 'worker offline', lead, severity: 'warning' }
				: undefined;
		default:
			return undefined;
	}
}

/** The severity to show of a verdict: a part of a measurement is never well. */
export function shownSeverity(severity: Severity, cut: Cut | undefined): Severity {
	const order: Severity[] = ['ok', 'info', 'warning', 'alert'];
	return cut && order.indexOf(severity) < order.indexOf(cut.severity) ? cut.severity : severity;
}

/** What a trace says of the target itself. */
export interface AtTarget {
	/** Distance of the target. */
	hops?: number;
	/** Share of decided probes that the target did not answer, in percent. */
	loss?: number;
	/** Mean round trip of its answers, in milliseconds. */
	average?: number;
}

/** Loss and time at the target; what other hosts answer in its place, refusals above all, is loss. */
export function atTarget(trace: Pick<TraceReport, 'address' | 'end' | 'hops'>): AtTarget {
	const own = (hop: Hop) =>
		hop.responders.filter((one) => one.answer.kind === 'target' || one.address === trace.address);
	const hop = trace.hops.findLast((one) => own(one).length > 0);
	if (!hop) return trace.end === 'unreachable' ? { loss: 100 } : {};
	const answers = own(hop);
	const received = answers.reduce((sum, one) => sum + one.received, 0);
	const sum = answers.reduce((total, one) => total + one.rtt.average * one.received, 0);
	// Probes that are still under way are no loss yet; the hop's own loss tells how many are decided.
	const decided = hop.loss < 100 ? hop.received / (1 - hop.loss / 100) : hop.sent;
	return {
		hops: hop.ttl,
		loss: decided > 0 ? Math.min(100, Math.max(0, 100 * (1 - received / decided))) : undefined,
		average: received > 0 ? sum / received : undefined
	};
}
