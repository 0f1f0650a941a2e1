import { describe, expect, it } from 'vitest';
import type { Operation, OperationDetail, OperationResult } from '../api/types.ts';
import { Hub, type Source, type Surroundings } from './hub.ts';
import { Live } from './live.svelte.ts';
import type { ToTab, Watch } from './messages.ts';

class FakeSource implements Source {
	onopen: ((event: Event) => void) | null = null;
	onerror: ((event: Event) => void) | null = null;
	closed = false;
	readonly listeners = new Map<string, (event: MessageEvent<string>) => void>();
	constructor(readonly url: string) {}
	addEventListener(type: string, listener: (event: MessageEvent<string>) => void) {
		this.listeners.set(type, listener);
	}
	close() {
		this.closed = true;
	}
}

/** A browser whose timers run when told to. */
function laboratory() {
	const sources: FakeSource[] = [];
	const timers: { ms: number; run: () => void }[] = [];
	const around: Surroundings = {
		open(url) {
			sources.push(new FakeSource(url));
			return sources.at(-1) as FakeSource;
		},
		after(ms, run) {
			const timer = { ms, run };
			timers.push(timer);
			return () => timers.splice(timers.indexOf(timer) >>> 0, 1);
		},
		random: () => 1
	};
	const elapse = () => {
		for (const { run } of timers.splice(0)) run();
	};
	return { hub: new Hub(around), sources, timers, elapse };
}

const on = (ids: string[], list = false): Watch => ({ ids, list });

describe('the hub', () => {
	it('opens one stream for the union of what all tabs watch', () => {
		const { hub, sources, elapse } = laboratory();
		const [a, b] = [() => {}, () => {}];
		hub.watch(a, on(['2', '1']));
		hub.watch(b, on(['2'], true));
		elapse();
		expect(sources.map((source) => source.url)).toEqual(['/api/v1/operations/events?id=1&id=2&list=true']);
		hub.leave(a);
		elapse();
		expect(sources.map((source) => [source.url, source.closed])).toEqual([
			['/api/v1/operations/events?id=1&id=2&list=true', true],
			['/api/v1/operations/events?id=2&list=true', false]
		]);
		hub.watch(b, on(['2'], true));
		elapse();
		expect(sources).toHaveLength(2);
		hub.leave(b);
		elapse();
		expect(sources.at(-1)?.closed).toBe(true);
	});

	it('waits longer after each failure, and says so', () => {
		const { hub, sources, timers, elapse } = laboratory();
		const heard: ToTab[] = [];
		hub.watch((message) => heard.push(message), on(['1']));
		elapse();
		sources[0]?.onopen?.(new Event('open'));
		const waits: number[] = [];
		for (let i = 0; i < 9; i++) {
			sources.at(-1)?.onerror?.(new Event('error'));
			waits.push(timers[0]?.ms ?? 0);
			elapse();
		}
		expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
		sources.at(-1)?.onopen?.(new Event('open'));
		sources.at(-1)?.onerror?.(new Event('error'));
		expect(timers[0]?.ms).toBe(500);
		const states = heard.flatMap((message) => (message.kind === 'link' ? [message.state] : []));
		expect(states).toEqual(['idle', 'connecting', 'live', 'reconnecting', 'live', 'reconnecting']);
	});

	it('hands events to every tab and drops what is no JSON', () => {
		const { hub, sources, elapse } = laboratory();
		const heard: ToTab[] = [];
		hub.watch((message) => heard.push(message), on(['1']));
		elapse();
		const say = (type: string, data: string) =>
			sources[0]?.listeners.get(type)?.(new MessageEvent(type, { data }));
		say('operation', '{"id":"1"}');
		say('operation', 'half a li');
		say('result', '{"id":"r","operation_id":"1"}');
		expect(heard.slice(2)).toMatchObject([
			{ kind: 'operation', operation: { id: '1' } },
			{ kind: 'result', operationId: '1', result: { id: 'r' } }
		]);
	});
});

describe('the store', () => {
	const loaded = {
		id: '1',
		version: 3,
		status: 'progress',
		results: [{ id: 'r', version: 3 }]
	} as OperationDetail;
	const header = (version: number, status: string) =>
		({ kind: 'operation', operation: { id: '1', version, status } as Operation }) as const;
	const result = (id: string, version: number) =>
		({ kind: 'result', operationId: '1', result: { id, version } as OperationResult }) as const;
	const listening = () => {
		const watches: Watch[] = [];
		const live = new Live(() => ({ watch: (watch) => watches.push(watch), restart: () => {} }));
		return { live, watches };
	};

	it('keeps the newest version, whatever comes when', () => {
		const { live } = listening();
		live.watch('1');
		live.hear(header(5, 'done'));
		live.hear(header(4, 'progress'));
		live.hear(result('r', 5));
		live.hear(result('r', 4));
		live.hear(result('s', 4));
		expect(live.detail(loaded)).toMatchObject({
			status: 'done',
			version: 5,
			results: [
				{ id: 'r', version: 5 },
				{ id: 's', version: 4 }
			]
		});
	});

	it('lets what was loaded later stand above what was heard before', () => {
		const { live } = listening();
		live.watch('1');
		live.hear(header(2, 'pending'));
		live.hear(result('r', 2));
		expect(live.detail(loaded)).toEqual(loaded);
	});

	it('forgets old headers, but none that is watched', () => {
		const { live } = listening();
		live.watch('0');
		for (let i = 0; i < 2000; i++) {
			live.hear({ kind: 'operation', operation: { id: String(i), version: 1 } as Operation });
		}
		expect(live.operations.size).toBeLessThanOrEqual(500);
		expect(live.operations.has('0')).toBe(true);
		expect(live.operations.has('1999')).toBe(true);
	});

	it('counts how often the stream has opened', () => {
		const { live } = listening();
		for (const state of ['connecting', 'live', 'live', 'reconnecting', 'live'] as const) {
			live.hear({ kind: 'link', state });
		}
		expect(live.opened).toBe(2);
	});

	it('tells the stream what is watched, each id until the last who wanted it has gone', () => {
		const { live, watches } = listening();
		const [first, second, list] = [live.watch('1'), live.watch('1'), live.watchList()];
		first();
		second();
		list();
		expect(watches).toEqual([on(['1']), on(['1']), on(['1'], true), on(['1'], true), on([], true), on([])]);
		live.hear(result('r', 9));
		expect(live.detail(loaded)).toEqual(loaded);
	});
});
