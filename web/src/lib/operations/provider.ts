import type { Operation, OperationResult, Verdict } from '../api/types.ts';

/** What a network provider needs to act on a verdict, as plain text. All times are UTC. */
export function providerText(
	operation: Operation,
	result: OperationResult,
	measured: { address: string; verdict: Verdict; protocol?: string; raw: string[] }
): string {
	const time = (at: string | null) => (at ? `${at.slice(0, 19).replace('T', ' ')} UTC` : 'still running');
	const target =
		measured.address === operation.target ? operation.target : `${operation.target} (${measured.address})`;
	const findings = measured.verdict.findings
		.filter((finding) => finding.severity !== 'ok')
		.map((finding) => `- ${finding.severity}: ${finding.text}`);
	return [
		measured.verdict.summary,
		'',
		`Target:    ${target}`,
		`Measured:  ${operation.type}${measured.protocol ? ` over ${measured.protocol.toUpperCase()}` : ''}, from ${result.worker ?? result.queue}`,
		`Began:     ${time(result.started_at ?? result.created_at)}`,
		`Ended:     ${time(result.finished_at)}`,
		...(findings.length > 0 ? ['', 'Findings:', ...findings] : []),
		'',
		...measured.raw,
		''
	].join('\n');
}
