import { FITS } from './path-words.ts';

/** Anything that can be placed. */
interface Placeable {
	nodes: { id: string; kind: string; label?: string; refusal?: string | null }[];
	edges: { id: string; from: string; to: string; label?: string }[];
}

/** A node with its place; `x` and `y` are the middle of its mark. */
export type Placed<N> = N & { column: number; x: number; y: number };

/** An edge with its curve. */
export type Routed<E> = E & { d: string; labelX: number; labelY: number; back: boolean };

/** A graph with places, in pixels at zoom 1. */
export interface Layout<N, E> {
	nodes: Placed<N>[];
	edges: Routed<E>[];
	width: number;
	height: number;
}

/** Least room from one column to the next. */
const COLUMN_LEAST = 124;
/** Width of a character of a label under a node and beside an edge, and the space between two labels. */
const CHARACTER = 6.4;
const EDGE_CHARACTER = 5.4;
const GAP = 28;
const EDGE_GAP = 16;
/** An edge that climbs more rows than this has its label at the height of those under nodes. */
const LEVEL = 0.15;
const ROW = 62;
const MARGIN_X = 70;
const MARGIN_Y = 34;
/** What rows stand farther apart, and from the upper edge, where arcs that lead back pass over nodes. */
const ARC_ROOM = 34;
const SWEEPS = 8;

/** A slot of a column: a node, or the place where a long edge passes. */
interface Slot {
	id: string;
	column: number;
	row: number;
}

/** Places a graph from left to right: workers, hops by distance, target. Edges that lead back are drawn as arcs. */
export function layOut<N extends Placeable['nodes'][number], E extends Placeable['edges'][number]>(graph: {
	nodes: N[];
	edges: E[];
}): Layout<N, E> {
	const back = backEdges(graph);
	const forward = graph.edges.filter((edge) => !back.has(edge.id));
	const columns = columnsOf(graph, forward);
	const { slots, via } = slotsOf(graph, forward, columns);
	order(slots, forward, via);
	const arcs = back.size > 0 ? ARC_ROOM : 0;
	const rows = Math.max(0, ...slots.map((column) => column.length));
	const place = new Map<string, { x: number; y: number }>();
	align(slots, forward, via, rows);
	const widest = captionWidths(graph, slots);
	const xs = columnPlaces(forward, slots, via, widest);
	for (const slot of slots.flat()) {
		place.set(slot.id, { x: xs[slot.column] ?? 0, y: MARGIN_Y + arcs / 2 + slot.row * (ROW + arcs) });
	}
	const nodes = graph.nodes.map((node) => ({
		...node,
		column: columns.get(node.id) ?? 0,
		...(place.get(node.id) ?? { x: 0, y: 0 })
	}));
	const edges = graph.edges.map((edge) => {
		const stops = [edge.from, ...(via.get(edge.id) ?? []), edge.to].map(
			(id) => place.get(id) ?? { x: 0, y: 0 }
		);
		return { ...edge, ...route(stops, back.has(edge.id)), back: back.has(edge.id) };
	});
	const lowest = Math.max(0, ...[...place.values()].map(({ y }) => y));
	return {
		nodes,
		edges,
		width: slots.length === 0 ? 0 : (xs.at(-1) ?? 0) + Math.max(MARGIN_X, (widest.at(-1) ?? 0) / 2 + 8),
		height: slots.length === 0 ? 0 : lowest + MARGIN_Y + 14
	};
}

/** Edges that close a circle, found by a walk from every source. */
function backEdges({ nodes, edges }: Placeable): Set<string> {
	const out = new Map<string, Placeable['edges']>();
	for (const edge of edges) out.set(edge.from, [...(out.get(edge.from) ?? []), edge]);
	const back = new Set<string>();
	const state = new Map<string, 'open' | 'closed'>();
	const walk = (start: string) => {
		const stack: { id: string; next: number }[] = [{ id: start, next: 0 }];
		state.set(start, 'open');
		while (stack.length > 0) {
			const top = stack.at(-1) as { id: string; next: number };
			const edge = out.get(top.id)?.[top.next++];
			if (!edge) {
				state.set(top.id, 'closed');
				stack.pop();
			} else if (state.get(edge.to) === 'open') back.add(edge.id);
			else if (!state.has(edge.to)) {
				state.set(edge.to, 'open');
				stack.push({ id: edge.to, next: 0 });
			}
		}
	};
	const sources = [...nodes].sort((a, b) => Number(b.kind === 'worker') - Number(a.kind === 'worker'));
	for (const node of sources) if (!state.has(node.id)) walk(node.id);
	return back;
}

/** The column of each node: behind everything that leads to it; a worker right before what it leads to. */
function columnsOf({ nodes }: Placeable, forward: Placeable['edges']): Map<string, number> {
	const columns = new Map(nodes.map((node) => [node.id, 0]));
	const at = (id: string) => columns.get(id) ?? 0;
	for (let round = 0; round < nodes.length; round++) {
		let moved = false;
		for (const { from, to } of forward) {
			if (at(to) <= at(from)) {
				columns.set(to, at(from) + 1);
				moved = true;
			}
		}
		if (!moved) break;
	}
	for (const node of nodes) {
		if (node.kind !== 'worker') continue;
		const next = forward.filter((edge) => edge.from === node.id).map((edge) => at(edge.to));
		if (next.length > 0) columns.set(node.id, Math.max(0, Math.min(...next) - 1));
	}
	return columns;
}

function slotsOf({ nodes }: Placeable, forward: Placeable['edges'], columns: Map<string, number>) {
	const count = nodes.length === 0 ? 0 : Math.max(...columns.values()) + 1;
	const slots: Slot[][] = Array.from({ length: count }, () => []);
	const put = (id: string, column: number) =>
		slots[column]?.push({ id, column, row: slots[column]?.length ?? 0 });
	for (const node of nodes) put(node.id, columns.get(node.id) ?? 0);
	const via = new Map<string, string[]>();
	for (const edge of forward) {
		const passes: string[] = [];
		for (let column = (columns.get(edge.from) ?? 0) + 1; column < (columns.get(edge.to) ?? 0); column++) {
			const id = `${edge.id} @${column}`;
			passes.push(id);
			put(id, column);
		}
		via.set(edge.id, passes);
	}
	return { slots, via };
}

/** The widest text under the nodes of each column. */
function captionWidths({ nodes }: Placeable, slots: Slot[][]): number[] {
	const captions = new Map(
		nodes.map(({ id, label, refusal }) => [
			id,
			Math.max(Math.min(label?.length ?? 0, FITS), refusal?.length ?? 0) * CHARACTER
		])
	);
	return slots.map((column) => Math.max(0, ...column.map(({ id }) => captions.get(id) ?? 0)));
}

/** Where each column stands: labels under nodes never touch, nor does the label of a slanted edge touch them. */
function columnPlaces(
	forward: Placeable['edges'],
	slots: Slot[][],
	via: Map<string, string[]>,
	widest: number[]
): number[] {
	const slotOf = new Map(slots.flat().map((slot) => [slot.id, slot]));
	const slanted = slots.map(() => 0);
	for (const edge of forward) {
		const a = slotOf.get(via.get(edge.id)?.at(-1) ?? edge.from);
		const b = slotOf.get(edge.to);
		if (!a || !b || !edge.label || Math.abs(a.row - b.row) < LEVEL) continue;
		const width = edge.label.length * EDGE_CHARACTER + EDGE_GAP;
		slanted[b.column] = Math.max(slanted[b.column] ?? 0, width);
	}
	const xs: number[] = [];
	for (let column = 0; column < slots.length; column++) {
		const before = xs[column - 1];
		// The label of an edge is in the middle, so the wider of both sides counts twice.
		const caption = Math.max(widest[column - 1] ?? 0, widest[column] ?? 0);
		const room = Math.max(COLUMN_LEAST, caption + Math.max(GAP, slanted[column] ?? 0));
		xs.push(before === undefined ? MARGIN_X : before + room);
	}
	return xs;
}

/** Which slots are joined, in both directions. */
function neighbours(forward: Placeable['edges'], via: Map<string, string[]>) {
	const before = new Map<string, string[]>();
	const after = new Map<string, string[]>();
	for (const edge of forward) {
		const stops = [edge.from, ...(via.get(edge.id) ?? []), edge.to];
		for (let i = 1; i < stops.length; i++) {
			const [a, b] = [stops[i - 1] as string, stops[i] as string];
			after.set(a, [...(after.get(a) ?? []), b]);
			before.set(b, [...(before.get(b) ?? []), a]);
		}
	}
	return { before, after };
}

/** Orders each column by the mean place of its neighbours, to and fro, so that few edges cross. */
function order(slots: Slot[][], forward: Placeable['edges'], via: Map<string, string[]>) {
	const { before, after } = neighbours(forward, via);
	const slotOf = new Map(slots.flat().map((slot) => [slot.id, slot]));
	for (let sweep = 0; sweep < SWEEPS; sweep++) {
		const toRight = sweep % 2 === 0;
		for (const column of toRight ? slots : [...slots].reverse()) {
			const joined = toRight ? before : after;
			const weight = new Map(column.map((slot) => [slot.id, mean(joined.get(slot.id), slotOf) ?? slot.row]));
			column.sort((a, b) => (weight.get(a.id) ?? 0) - (weight.get(b.id) ?? 0) || a.row - b.row);
			column.forEach((slot, row) => (slot.row = row));
		}
	}
}

/** Moves each column towards its neighbours without changing its order or touching rows. */
function align(slots: Slot[][], forward: Placeable['edges'], via: Map<string, string[]>, rows: number) {
	const { before, after } = neighbours(forward, via);
	const slotOf = new Map(slots.flat().map((slot) => [slot.id, slot]));
	for (const column of slots) {
		const shift = (rows - column.length) / 2;
		for (const slot of column) slot.row += shift;
	}
	for (let sweep = 0; sweep < SWEEPS; sweep++) {
		for (const column of sweep % 2 === 0 ? slots : [...slots].reverse()) {
			const wish = column.map(
				(slot) => mean([...(before.get(slot.id) ?? []), ...(after.get(slot.id) ?? [])], slotOf) ?? slot.row
			);
			settle(column, wish);
		}
	}
	const highest = Math.min(0, ...slots.flat().map((slot) => slot.row));
	const top = Math.min(...slots.flat().map((slot) => slot.row), Infinity);
	for (const slot of slots.flat()) slot.row -= Math.max(highest, top);
}

/** Gives each slot its wish as far as a gap of one row between neighbours allows. */
function settle(column: Slot[], wish: number[]) {
	// Blocks of slots that push against each other sit at the mean of their wishes.
	const blocks: { from: number; size: number; at: number }[] = [];
	wish.forEach((want, i) => {
		blocks.push({ from: i, size: 1, at: want });
		while (blocks.length > 1) {
			const [a, b] = blocks.slice(-2) as [(typeof blocks)[0], (typeof blocks)[0]];
			if (b.at >= a.at + a.size) break;
			const at = (a.at * a.size + (b.at - a.size) * b.size) / (a.size + b.size);
			blocks.splice(-2, 2, { from: a.from, size: a.size + b.size, at });
		}
	});
	for (const block of blocks) {
		for (let i = 0; i < block.size; i++) {
			const slot = column[block.from + i];
			if (slot) slot.row = block.at + i;
		}
	}
}

function mean(ids: string[] | undefined, slotOf: Map<string, Slot>): number | undefined {
	if (!ids || ids.length === 0) return undefined;
	return ids.reduce((sum, id) => sum + (slotOf.get(id)?.row ?? 0), 0) / ids.length;
}

interface Point {
	x: number;
	y: number;
}

/** A smooth curve through the stops; an edge that leads back goes over the top. */
function route(stops: Point[], back: boolean): { d: string; labelX: number; labelY: number } {
	const [first, last] = [stops[0] as Point, stops.at(-1) as Point];
	if (back) {
		const top = Math.min(first.y, last.y) - ROW * 0.7;
		return {
			d: `M${first.x},${first.y} C${first.x + 40},${top} ${last.x - 40},${top} ${last.x},${last.y}`,
			labelX: (first.x + last.x) / 2,
			labelY: top + 10
		};
	}
	let d = `M${first.x},${round(first.y)}`;
	for (let i = 1; i < stops.length; i++) {
		const [a, b] = [stops[i - 1] as Point, stops[i] as Point];
		const bend = (b.x - a.x) * 0.45;
		d += ` C${a.x + bend},${round(a.y)} ${b.x - bend},${round(b.y)} ${b.x},${round(b.y)}`;
	}
	const before = stops.at(-2) as Point;
	// Near the far end the curves of a fan have parted, so labels do not pile up.
	return { d, labelX: before.x + (last.x - before.x) * 0.5, labelY: before.y + (last.y - before.y) * 0.5 };
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}
