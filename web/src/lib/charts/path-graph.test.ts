import { describe, expect, it } from 'vitest';
import { traceOf } from './fixtures.ts';
import { mergePaths, type WorkerTrace } from './path-graph.ts';
import { collapseChains } from './path-chains.ts';
import { layOut } from './path-layout.ts';

const T = '192.0.2.9';

/** Three workers, three equal ways behind the shared router, and a run of two silent hops before the target. */
const three: WorkerTrace[] = [
	{
		worker: 'paris',
		trace: traceOf(
			T,
			[
				[1, 0, ['10.1.0.1', 1]],
				[2, 0, ['10.0.0.1', 2]],
				[3, 0, ['10.0.1.1', 5], ['10.0.1.2', 6], ['10.0.1.3', 7]],
				[4, 100],
				[5, 100],
				[6, 10, [T, 20]]
			],
			[
				['10.1.0.1', '10.0.0.1', '10.0.1.1', null, null, T],
				['10.1.0.1', '10.0.0.1', '10.0.1.2', null, null, T],
				['10.1.0.1', '10.0.0.1', '10.0.1.3', null, null, T]
			]
		)
	},
	{
		worker: 'lyon',
		trace: traceOf(
			T,
			[
				[1, 0, ['10.2.0.1', 1]],
				[2, 0, ['10.0.0.1', 4]],
				[3, 0, ['10.0.1.1', 7]],
				[4, 100],
				[5, 100],
				[6, 30, [T, 22]]
			],
			[['10.2.0.1', '10.0.0.1', '10.0.1.1', null, null, T]]
		)
	},
	{
		worker: 'nice',
		trace: traceOf(
			T,
			[
				[1, 0, ['10.0.0.1', 3]],
				[2, 0, ['10.0.1.2', 9]],
				[3, 100],
				[4, 100],
				[5, 0, [T, 24]]
			],
			[['10.0.0.1', '10.0.1.2', null, null, T]]
		)
	}
];

describe('merging', () => {
	const graph = mergePaths(three);
	const edge = (from: string, to: string) => graph.edges.find((one) => one.from === from && one.to === to);

	it('gives exactly the expected nodes', () => {
		expect(graph.nodes.map(({ id, kind, hops, workers }) => [id, kind, hops, workers.join('+')])).toEqual([
			['worker paris', 'worker', 1, 'paris'],
			['10.1.0.1', 'router', 1, 'paris'],
			['10.0.0.1', 'router', 1, 'paris+lyon+nice'],
			['10.0.1.1', 'router', 1, 'paris+lyon'],
			['10.0.1.2', 'router', 1, 'paris+nice'],
			['10.0.1.3', 'router', 1, 'paris'],
			[T, 'target', 1, 'paris+lyon+nice'],
			[`silent 10.0.1.1 2 ${T}`, 'silent', 2, 'paris+lyon'],
			[`silent 10.0.1.2 2 ${T}`, 'silent', 2, 'paris+nice'],
			[`silent 10.0.1.3 2 ${T}`, 'silent', 2, 'paris'],
			['worker lyon', 'worker', 1, 'lyon'],
			['10.2.0.1', 'router', 1, 'lyon'],
			['worker nice', 'worker', 1, 'nice']
		]);
		expect(graph.nodes.find((node) => node.id === '10.0.0.1')).toMatchObject({ ttls: [1, 2], rtt: 3 });
	});

	it('gives exactly the expected edges', () => {
		const s = (address: string) => `silent ${address} 2 ${T}`;
		expect(graph.edges.map(({ from, to, flows, alternate }) => [from, to, flows, alternate])).toEqual([
			['worker paris', '10.1.0.1', 3, false],
			['10.1.0.1', '10.0.0.1', 3, false],
			['10.0.0.1', '10.0.1.1', 2, false],
			['10.0.1.1', s('10.0.1.1'), 2, false],
			[s('10.0.1.1'), T, 2, false],
			['10.0.0.1', '10.0.1.2', 2, false],
			['10.0.1.2', s('10.0.1.2'), 2, false],
			[s('10.0.1.2'), T, 2, false],
			['10.0.0.1', '10.0.1.3', 1, false],
			['10.0.1.3', s('10.0.1.3'), 1, false],
			[s('10.0.1.3'), T, 1, false],
			['worker lyon', '10.2.0.1', 1, false],
			['10.2.0.1', '10.0.0.1', 1, false],
			['worker nice', '10.0.0.1', 1, false]
		]);
	});

	it('puts latency and loss on the edges', () => {
		expect(edge('10.0.0.1', '10.0.1.1')).toMatchObject({ added: 3, loss: 0, workers: ['paris', 'lyon'] });
		expect(edge('10.0.1.1', `silent 10.0.1.1 2 ${T}`)).toMatchObject({ added: null, loss: null });
		expect(edge(`silent 10.0.1.1 2 ${T}`, T)).toMatchObject({ added: 15, loss: 20 });
	});

	it('keeps who answered at times only, as an alternate', () => {
		const trace = traceOf(
			T,
			[
				[1, 0, ['10.0.0.1', 1]],
				[2, 0, ['10.0.1.1', 2], ['10.0.1.2', 2]],
				[3, 0, [T, 3]]
			],
			[['10.0.0.1', '10.0.1.1', T]]
		);
		const { edges } = mergePaths([{ worker: 'a', trace }]);
		expect(edges.filter((one) => one.alternate).map((one) => one.id)).toEqual([
			'10.0.0.1 > 10.0.1.2',
			`10.0.1.2 > ${T}`
		]);
	});

	it('ends in one node of silence when nobody answers any more', () => {
		const dead = (worker: string, silent: number): WorkerTrace => ({
			worker,
			trace: traceOf(T, [[1, 0, ['10.0.0.1', 1]]], [['10.0.0.1', ...Array<null>(silent).fill(null)]])
		});
		const { nodes } = mergePaths([dead('a', 3), dead('b', 5)]);
		expect(nodes.filter((node) => node.kind === 'silent')).toMatchObject([
			{ id: 'silent after 10.0.0.1', hops: 5, workers: ['a', 'b'] }
		]);
	});

	it('keeps what a router said that let nothing through', () => {
		const trace = traceOf(T, [[1, 0, ['10.0.0.1', 1]]], [['10.0.0.1']]);
		const [router] = trace.hops[0]?.responders ?? [];
		if (router) router.answer = { kind: 'unreachable', message: 'host unreachable' };
		const { nodes } = mergePaths([{ worker: 'a', trace }]);
		expect(nodes.map((node) => node.refusal)).toEqual([null, 'host unreachable']);
	});

	it('survives a loop and an empty report', () => {
		const loop = traceOf(
			T,
			[
				[1, 0, ['10.0.0.1', 1]],
				[2, 0, ['10.0.0.2', 1]],
				[3, 0, ['10.0.0.1', 1]]
			],
			[['10.0.0.1', '10.0.0.2', '10.0.0.1']]
		);
		const graph = mergePaths([{ worker: 'a', trace: loop }]);
		expect(layOut(graph).nodes).toHaveLength(3);
		expect(mergePaths([]).nodes).toEqual([]);
		expect(layOut(mergePaths([])).nodes).toEqual([]);
	});
});

describe('layout', () => {
	it('goes from left to right, hop by hop, and lets no two nodes touch', () => {
		const laid = layOut(mergePaths(three));
		const at = new Map(laid.nodes.map((node) => [node.id, node]));
		for (const edge of laid.edges) {
			expect(at.get(edge.from)?.column, edge.id).toBeLessThan(at.get(edge.to)?.column ?? 0);
		}
		const places = laid.nodes.map((node) => `${node.x} ${Math.round(node.y)}`);
		expect(new Set(places).size).toBe(places.length);
	});

	it('keeps 20 workers of 30 hops apart', () => {
		const many = Array.from({ length: 20 }, (_, w): WorkerTrace => {
			const path = Array.from({ length: 30 }, (_, i) =>
				i === 29 ? T : i > 8 ? `10.9.0.${i}` : `10.${w}.0.${i}`
			);
			return {
				worker: `site-${w}`,
				trace: traceOf(
					T,
					path.map((address, i) => [i + 1, 0, [address, i + 1]]),
					[path]
				)
			};
		});
		const whole = mergePaths(many);
		expect(whole.nodes).toHaveLength(20 + 20 * 9 + 20 + 1);
		const laid = layOut(whole);
		const columns = new Map<number, number[]>();
		for (const node of laid.nodes) columns.set(node.column, [...(columns.get(node.column) ?? []), node.y]);
		for (const column of columns.values()) {
			const ys = column.sort((a, b) => a - b);
			for (let i = 1; i < ys.length; i++) expect((ys[i] ?? 0) - (ys[i - 1] ?? 0)).toBeGreaterThanOrEqual(30);
		}
		const folded = collapseChains(whole, new Set());
		expect(folded.nodes).toHaveLength(20 * 4 + 5);
		expect(layOut(folded).width).toBeLessThan(laid.width / 3);
	});

	it('has room for arcs above rows, and for refusals at the edge', () => {
		const loop = traceOf(T, [[1, 0, ['10.0.0.1', 1]]], [['10.0.0.1', '10.0.0.1']]);
		const [router] = loop.hops[0]?.responders ?? [];
		if (router) router.answer = { kind: 'unreachable', message: 'administratively prohibited' };
		const other = traceOf(T, [[1, 0, ['10.0.0.2', 1]]], [['10.0.0.2']]);
		const laid = layOut(
			mergePaths([
				{ worker: 'a', trace: loop },
				{ worker: 'b', trace: other }
			])
		);
		const arc = laid.edges.find(({ back }) => back);
		const ys = [...new Set(laid.nodes.map(({ y }) => y))].sort((a, b) => a - b);
		expect(arc?.labelY).toBeGreaterThan(15);
		expect((ys[1] ?? 0) - (ys[0] ?? 0)).toBeGreaterThan(90);
		const right = Math.max(...laid.nodes.map(({ x }) => x));
		expect(laid.width - right).toBeGreaterThan(('administratively prohibited'.length * 6) / 2);
	});

	it('opens a chain again', () => {
		const whole = mergePaths([
			{
				worker: 'a',
				trace: traceOf(
					T,
					[1, 2, 3, 4, 5, 6].map((i) => [i, 0, [`10.0.0.${i}`, i]]),
					[[1, 2, 3, 4, 5, 6].map((i) => `10.0.0.${i}`)]
				)
			}
		]);
		const folded = collapseChains(whole, new Set());
		const chain = folded.nodes.find((node) => node.kind === 'chain');
		expect(chain?.members).toHaveLength(3);
		expect(collapseChains(whole, new Set([chain?.id ?? ''])).nodes).toHaveLength(whole.nodes.length);
	});
});
