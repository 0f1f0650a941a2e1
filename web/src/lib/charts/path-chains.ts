import type { PathEdge, PathGraph, PathNode } from './path-graph.ts';

/** A node, or a run of nodes in a row that all the same ways pass, folded into one. */
export interface FoldedNode extends Omit<PathNode, 'kind'> {
	kind: PathNode['kind'] | 'chain';
	/** The nodes of a chain, nearest first; empty for a single node. */
	members: PathNode[];
}

/** A graph whose chains are folded. */
export interface FoldedGraph {
	nodes: FoldedNode[];
	edges: PathEdge[];
}

/** A chain shorter than this is not worth folding. */
const SHORTEST = 3;

/**
 * Folds runs of nodes with one way in and one way out. The first and the last node of a run stay:
 * they are where ways part and meet. Chains whose id is in `open` stay as they are.
 */
export function collapseChains(graph: PathGraph, open: ReadonlySet<string>): FoldedGraph {
	const out = group(graph.edges, (edge) => edge.from);
	const into = group(graph.edges, (edge) => edge.to);
	const byId = new Map(graph.nodes.map((node) => [node.id, node]));
	const inner = (id: string) =>
		byId.get(id)?.kind !== 'worker' &&
		byId.get(id)?.kind !== 'target' &&
		out.get(id)?.length === 1 &&
		into.get(id)?.length === 1;
	const foldedInto = new Map<string, string>();
	const chains = new Map<string, PathNode[]>();
	for (const node of graph.nodes) {
		const previous = into.get(node.id)?.[0]?.from;
		if (!inner(node.id) || (previous !== undefined && inner(previous))) continue;
		const run = runFrom(node, byId, out, inner).slice(1, -1);
		const [first] = run;
		const id = `chain ${first?.id}`;
		if (!first || run.length < SHORTEST || open.has(id)) continue;
		chains.set(id, run);
		for (const member of run) foldedInto.set(member.id, id);
	}
	const nodes = graph.nodes
		.filter((node) => !foldedInto.has(node.id))
		.map((node): FoldedNode => ({ ...node, members: [] }));
	for (const [id, members] of chains) nodes.push(chainNode(id, members));
	const edges = graph.edges
		.filter((edge) => !foldedInto.has(edge.from) || foldedInto.get(edge.from) !== foldedInto.get(edge.to))
		.map((edge) => ({
			...edge,
			from: foldedInto.get(edge.from) ?? edge.from,
			to: foldedInto.get(edge.to) ?? edge.to
		}));
	return { nodes, edges };
}

function runFrom(
	node: PathNode,
	byId: Map<string, PathNode>,
	out: Map<string, PathEdge[]>,
	inner: (id: string) => boolean
): PathNode[] {
	const run: PathNode[] = [];
	const seen = new Set<string>();
	let next: PathNode | undefined = node;
	while (next && inner(next.id) && !seen.has(next.id)) {
		seen.add(next.id);
		run.push(next);
		next = byId.get(out.get(next.id)?.[0]?.to ?? '');
	}
	return run;
}

function chainNode(id: string, members: PathNode[]): FoldedNode {
	const last = members.at(-1);
	return {
		id,
		kind: 'chain',
		label: '',
		name: null,
		asn: null,
		asName: null,
		place: null,
		hops: members.reduce((sum, member) => sum + member.hops, 0),
		ttls: [...new Set(members.flatMap((member) => member.ttls))].sort((a, b) => a - b),
		workers: members[0]?.workers ?? [],
		rtt: last?.rtt ?? null,
		refusal: null,
		members
	};
}

function group(edges: PathEdge[], key: (edge: PathEdge) => string): Map<string, PathEdge[]> {
	const map = new Map<string, PathEdge[]>();
	for (const edge of edges) map.set(key(edge), [...(map.get(key(edge)) ?? []), edge]);
	return map;
}
