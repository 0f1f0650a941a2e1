import { ms, plural } from '../format/number.ts';
import type { FoldedNode } from './path-chains.ts';
import type { PathEdge } from './path-graph.ts';

/** As many characters as fit under a mark. */
export const FITS = 19;

/** What stands beside a step: the time it adds and what it loses, each empty when that is nothing worth saying. */
export function stepWords({ added, loss }: PathEdge): { latency: string; loss: string } {
	return {
		latency: added === null || added < 0.05 ? '' : `+${added < 10 ? added.toFixed(1) : added.toFixed(0)} ms`,
		loss: loss === null || loss < 0.05 ? '' : `×${Number(loss.toFixed(1))}%`
	};
}

/** What stands under the mark of a node. */
export function captionOf(node: FoldedNode): string {
	if (node.kind === 'silent') return node.hops > 1 ? `${node.hops} silent hops` : 'silent hop';
	if (node.kind === 'chain') return `${node.hops} hops`;
	return clipped(node.label);
}

/** The middle is what long addresses and names have in common, so that is what goes. */
function clipped(text: string): string {
	if (text.length <= FITS) return text;
	const head = Math.ceil((FITS - 1) / 2);
	return `${text.slice(0, head)}…${text.slice(text.length - (FITS - 1 - head))}`;
}

/** Everything that is known of a node, for its tooltip and for who cannot see it. */
export function detailOf(node: FoldedNode): string {
	const lines = [titleOf(node)];
	if (node.name) lines.push(node.name);
	if (node.asn !== null) lines.push(`AS${node.asn} ${node.asName ?? ''}`.trim());
	if (node.place) lines.push(node.place);
	if (node.kind !== 'worker' && node.ttls.length > 0) lines.push(`hop ${node.ttls.join(', ')}`);
	if (node.rtt !== null) lines.push(`average ${ms(node.rtt)} ms`);
	if (node.refusal) lines.push(`says ${node.refusal}`);
	if (node.kind !== 'worker') lines.push(`seen by ${whoOf(node.workers)}`);
	for (const member of node.members) lines.push(member.label || `${plural(member.hops, 'silent hop')}`);
	return lines.join('\n');
}

/** The address of a node, where it has one to look up. */
export function resourceOf(node: FoldedNode): string | undefined {
	return node.kind === 'router' || node.kind === 'target' ? node.label : undefined;
}

function titleOf(node: FoldedNode): string {
	switch (node.kind) {
		case 'worker':
			return `worker ${node.label}`;
		case 'target':
			return `target ${node.label}`;
		case 'silent':
			return `${plural(node.hops, 'hop')} without an answer`;
		case 'chain':
			return `${plural(node.hops, 'hop')} in a row; opens them`;
		default:
			return node.label;
	}
}

function whoOf(workers: string[]): string {
	return workers.length > 4
		? `${workers.slice(0, 3).join(', ')} and ${workers.length - 3} more`
		: workers.join(', ');
}
