import type {
	HttpReport,
	Operation,
	OperationResult,
	Severity,
	TlsReport,
	TlsSession
} from '../api/types.ts';
import { bytes, ms } from '../format/number.ts';
import { httpOf, tcpOf, tlsOf } from './payload.ts';

/** One thing that results are compared by. */
export interface Column {
	label: string;
	/** Numbers stand at the right and are never alike, so that they are not compared. */
	numeric?: boolean;
}

/** What one address answered one worker. */
export interface Row {
	result: OperationResult;
	/** The address that was asked; empty when nothing was measured. */
	address: string;
	/** One for each column; what is missing is empty. */
	cells: string[];
	/** The columns in which it differs from most. */
	differs: boolean[];
	verdict?: { severity: Severity; summary: string };
}

export interface Comparison {
	columns: Column[];
	rows: Row[];
}

interface Seen {
	address: string;
	cells: string[];
	verdict: { severity: Severity; summary: string };
}

const HTTP: Column[] = [
	{ label: 'Status' },
	{ label: 'Ends at' },
	{ label: 'Version' },
	{ label: 'Body' },
	{ label: 'Certificate' },
	{ label: 'First byte, ms', numeric: true },
	{ label: 'Total, ms', numeric: true }
];
const TLS: Column[] = [
	{ label: 'Trusted' },
	{ label: 'Version' },
	{ label: 'Certificate' },
	{ label: 'Ends' },
	{ label: 'Issuer' },
	{ label: 'Handshake, ms', numeric: true }
];
const TCP: Column[] = [
	{ label: 'Outcome' },
	{ label: 'Connected', numeric: true },
	{ label: 'Median, ms', numeric: true }
];

/** The results side by side; undefined for a tool whose results are compared in another way. */
export function comparisonOf(operation: Operation, results: OperationResult[]): Comparison | undefined {
	const seenBy = { http: httpSeen, tls: tlsSeen, tcp: tcpSeen }[operation.type];
	const columns = { http: HTTP, tls: TLS, tcp: TCP }[operation.type];
	if (!seenBy || !columns) return undefined;
	const rows = results.flatMap((result): Row[] => {
		const seen = seenBy(operation, result);
		const none = columns.map(() => '');
		if (seen.length === 0) return [{ result, address: '', cells: none, differs: none.map(() => false) }];
		return seen.map((one) => ({ result, ...one, differs: [] }));
	});
	const usual = columns.map((column, i) =>
		column.numeric ? undefined : most(rows.map(({ cells }) => cells[i] ?? ''))
	);
	for (const row of rows) {
		row.differs = row.cells.map((cell, i) => cell !== '' && usual[i] !== undefined && cell !== usual[i]);
	}
	return { columns, rows };
}

/** What more than half of them say; empty when they differ, undefined when nobody says anything. */
function most(cells: string[]): string | undefined {
	const said = cells.filter((cell) => cell !== '');
	const counts = new Map<string, number>();
	for (const cell of said) counts.set(cell, (counts.get(cell) ?? 0) + 1);
	if (said.length === 0) return undefined;
	// Where nothing is usual, everybody is the odd one out.
	return [...counts].find(([, count]) => count * 2 > said.length)?.[0] ?? '';
}

/** The beginning of a fingerprint, long enough to tell certificates apart by eye. */
export const short = (fingerprint: string) => fingerprint.slice(0, 16);

const certificate = (session: TlsSession | null | undefined) => short(session?.chain[0]?.fingerprint ?? '');

function httpSeen(operation: Operation, result: OperationResult): Seen[] {
	return (httpOf(operation, result)?.reports ?? []).map((report: HttpReport) => {
		const last = report.hops.at(-1);
		const sum = last?.body ? `${bytes(last.body.bytes)}, ${last.body.sha256.slice(0, 8)}` : '';
		const cells = [
			last?.failure ? `failed: ${last.failure.phase}` : String(last?.status ?? ''),
			last?.url ?? '',
			last?.version ?? '',
			sum,
			certificate(last?.tls),
			ms(last?.timings.first_byte),
			ms(report.total_ms)
		];
		return { address: report.address, cells, verdict: report.verdict };
	});
}

function tlsSeen(operation: Operation, result: OperationResult): Seen[] {
	return (tlsOf(operation, result)?.reports ?? []).map((report: TlsReport) => {
		const leaf = report.session?.chain[0];
		const cells = [
			report.failure ? `failed: ${report.failure.phase}` : report.session?.trusted ? 'yes' : 'no',
			report.session?.protocol ?? '',
			certificate(report.session),
			leaf?.not_after.slice(0, 10) ?? '',
			leaf?.issuer ?? '',
			ms(report.handshake_ms)
		];
		return { address: report.address, cells, verdict: report.verdict };
	});
}

function tcpSeen(operation: Operation, result: OperationResult): Seen[] {
	return (tcpOf(operation, result)?.reports ?? []).map(({ address, statistics: s, verdict }) => {
		const ways = [
			['connects', s.connected],
			['refused', s.refused],
			['filtered', s.filtered],
			['no answer', s.unanswered],
			['not sent', s.unsent]
		] as const;
		const outcome = ways.filter(([, count]) => count > 0).map(([word]) => word);
		const cells = [outcome.join(', '), `${s.connected} of ${s.attempted}`, ms(s.median)];
		return { address, cells, verdict };
	});
}
