import type { Hop, Responder, TraceReport } from '../api/types.ts';

/** A trace as one worker made it. */
export interface WorkerTrace {
	worker: string;
	trace: TraceReport;
}

/** A place in the graph: a worker, everyone who answered, or a run of hops that did not. */
export interface PathNode {
	id: string;
	kind: 'worker' | 'router' | 'target' | 'silent';
	/** Address of a responder, name of a worker, empty for silent hops. */
	label: string;
	name: string | null;
	asn: number | null;
	/** Who runs that AS, and where the responder is, as far as the server knows. */
	asName: string | null;
	place: string | null;
	/** How many hops in a row are silent; 1 for everything else. */
	hops: number;
	/** Distances at which it was seen, smallest first. */
	ttls: number[];
	/** Workers whose way leads through it, in order. */
	workers: string[];
	/** Mean round trip over those workers, in milliseconds. */
	rtt: number | null;
	/** What it said when it let nothing through; null when it did. */
	refusal: string | null;
}

/** A step from one place to the next. */
export interface PathEdge {
	id: string;
	from: string;
	to: string;
	workers: string[];
	/** How many flows of all workers took it. */
	flows: number;
	/** What this step adds to the mean round trip, in milliseconds; may be below zero when a router answers slowly. */
	added: number | null;
	/** Share of probes to the far end that stayed unanswered, in percent; unknown into silence. */
	loss: number | null;
	/** True when no flow's latest way holds it: the far or near end answered in its place at times. */
	alternate: boolean;
}

/** All workers' ways to the target, merged. */
export interface PathGraph {
	nodes: PathNode[];
	edges: PathEdge[];
}

/** One hop of a way: who answered, or how many in a row did not. */
type Step = { ttl: number; address: string } | { ttl: number; silent: number };

/**
 * Merges traces into one graph. Responders are one node by address, whoever saw them and at
 * whatever distance. A run of silent hops is one node; runs of the same length between the same
 * two neighbours are the same run, and what lies silent behind a last answer is one node, however
 * far anybody asked.
 */
export function mergePaths(traces: WorkerTrace[]): PathGraph {
	const merger = new Merger();
	for (const trace of traces) merger.add(trace);
	return merger.graph();
}

/** What the means of an edge are made of. */
interface Sums {
	sent: number;
	lost: number;
	addedSum: number;
	addedOver: number;
}

class Merger {
	private readonly nodes = new Map<string, PathNode & { rttSum: number; rttOver: number }>();
	private readonly edges = new Map<string, PathEdge & Sums>();

	add({ worker, trace }: WorkerTrace) {
		const source = `worker ${worker}`;
		this.node(source, 'worker', worker, worker, 0);
		const hops = new Map(trace.hops.map((hop) => [hop.ttl, hop]));
		for (const hop of trace.hops) {
			for (const responder of hop.responders) this.responder(worker, hop.ttl, responder, trace);
		}
		const ways = waysOf(trace);
		for (const way of ways) this.way(source, worker, way, hops);
		this.alternates(source, worker, trace, ways, hops);
	}

	graph(): PathGraph {
		const nodes = [...this.nodes.values()].map(({ rttSum, rttOver, ...node }) => ({
			...node,
			rtt: rttOver > 0 ? rttSum / rttOver : null
		}));
		const edges = [...this.edges.values()].map(({ sent, lost, addedSum, addedOver, ...edge }) => ({
			...edge,
			added: addedOver > 0 ? addedSum / addedOver : null,
			loss: sent > 0 ? (lost / sent) * 100 : null
		}));
		return { nodes, edges };
	}

	private node(id: string, kind: PathNode['kind'], label: string, worker: string, ttl: number) {
		let node = this.nodes.get(id);
		if (!node) {
			node = {
				id,
				kind,
				label,
				name: null,
				asn: null,
				asName: null,
				place: null,
				hops: 1,
				ttls: [],
				workers: [],
				rtt: null,
				refusal: null,
				rttSum: 0,
				rttOver: 0
			};
			this.nodes.set(id, node);
		}
		if (!node.workers.includes(worker)) node.workers.push(worker);
		if (!node.ttls.includes(ttl)) node.ttls = [...node.ttls, ttl].sort((a, b) => a - b);
		return node;
	}

	private responder(worker: string, ttl: number, responder: Responder, trace: TraceReport) {
		const target = responder.answer.kind === 'target' || responder.address === trace.address;
		const node = this.node(responder.address, target ? 'target' : 'router', responder.address, worker, ttl);
		if (target) node.kind = 'target';
		node.name ??= responder.name;
		node.asn ??= responder.asn;
		node.asName ??= responder.as_name;
		node.place ??= responder.place?.words || null;
		if (responder.answer.kind === 'unreachable') node.refusal = responder.answer.message;
		node.rttSum += responder.rtt.average;
		node.rttOver += 1;
	}

	private way(source: string, worker: string, way: Step[], hops: Map<number, Hop>) {
		let previous = source;
		let answered = 0;
		way.forEach((step, i) => {
			if ('silent' in step) {
				const next = way[i + 1];
				const after = next && 'address' in next ? next.address : undefined;
				const id =
					after === undefined ? `silent after ${previous}` : `silent ${previous} ${step.silent} ${after}`;
				const node = this.node(id, 'silent', '', worker, step.ttl);
				node.hops = Math.max(node.hops, step.silent);
				this.edge(previous, id, worker, 1);
				previous = id;
				return;
			}
			// A responder that no hop lists can only come from a server that sent half a report.
			if (!this.nodes.has(step.address)) this.node(step.address, 'router', step.address, worker, step.ttl);
			const hop = hops.get(step.ttl);
			const rtt = hop?.responders.find((one) => one.address === step.address)?.rtt.average;
			const edge = this.edge(previous, step.address, worker, 1);
			weigh(edge, hop, rtt === undefined ? undefined : rtt - answered);
			answered = rtt ?? answered;
			previous = step.address;
		});
	}

	/** Responders that answered at a hop, though the latest way of no flow leads through them. */
	private alternates(
		source: string,
		worker: string,
		trace: TraceReport,
		ways: Step[][],
		hops: Map<number, Hop>
	) {
		const onWay = new Set(
			ways.flat().flatMap((step) => ('address' in step ? [`${step.ttl} ${step.address}`] : []))
		);
		for (const hop of trace.hops) {
			for (const responder of hop.responders) {
				if (onWay.has(`${hop.ttl} ${responder.address}`)) continue;
				const way = ways.find((_, flow) => responder.flows.includes(flow)) ?? ways[0] ?? [];
				const at = way.findLastIndex((step) => step.ttl <= hop.ttl);
				const before = way.slice(0, at).findLast((step) => 'address' in step);
				const after = way.slice(at + 1).find((step) => 'address' in step);
				const from = before && 'address' in before ? before.address : source;
				if (from === responder.address) continue;
				const fresh = !this.edges.has(`${from} > ${responder.address}`);
				const edge = this.edge(from, responder.address, worker, 0);
				if (fresh) edge.alternate = true;
				weigh(edge, hops.get(hop.ttl), undefined);
				if (after && 'address' in after && after.address !== responder.address) {
					const on = !this.edges.has(`${responder.address} > ${after.address}`);
					const edge = this.edge(responder.address, after.address, worker, 0);
					if (on) edge.alternate = true;
				}
			}
		}
	}

	private edge(from: string, to: string, worker: string, flows: number): PathEdge & Sums {
		const id = `${from} > ${to}`;
		let edge = this.edges.get(id);
		if (!edge) {
			edge = {
				id,
				from,
				to,
				workers: [],
				flows: 0,
				added: null,
				loss: null,
				alternate: false,
				sent: 0,
				lost: 0,
				addedSum: 0,
				addedOver: 0
			};
			this.edges.set(id, edge);
		}
		if (flows > 0) edge.alternate = false;
		edge.flows += flows;
		if (!edge.workers.includes(worker)) edge.workers.push(worker);
		return edge;
	}
}

function weigh(edge: Sums, hop: Hop | undefined, added: number | undefined) {
	if (hop) {
		edge.sent += hop.sent;
		edge.lost += (hop.sent * hop.loss) / 100;
	}
	if (added !== undefined) {
		edge.addedSum += added;
		edge.addedOver += 1;
	}
}

/** The way of each flow with runs of silence folded; without flows, the busiest responder of each hop. */
function waysOf(trace: TraceReport): Step[][] {
	const first = trace.hops[0]?.ttl ?? 1;
	const ways =
		trace.paths.length > 0
			? trace.paths.map((path) => path.hops)
			: [trace.hops.map((hop) => hop.responders[0]?.address ?? null)];
	return ways.map((hops) => {
		const steps: Step[] = [];
		hops.forEach((address, i) => {
			const last = steps.at(-1);
			if (address !== null) steps.push({ ttl: first + i, address });
			else if (last && 'silent' in last) last.silent += 1;
			else steps.push({ ttl: first + i, silent: 1 });
		});
		// While it runs, hops behind the last answer have been asked only a moment ago.
		if (trace.end === null && steps.length > 0 && 'silent' in (steps.at(-1) as Step)) steps.pop();
		return steps;
	});
}
