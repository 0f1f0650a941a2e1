import { BASE } from '../api/client.ts';
import type { Operation, OperationResult } from '../api/types.ts';
import type { LinkState, ToTab, Watch } from './messages.ts';

/** As much of an `EventSource` as the hub uses. */
export interface Source {
	addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
	onopen: ((event: Event) => void) | null;
	onerror: ((event: Event) => void) | null;
	close(): void;
}

/** What the hub needs from its surroundings; tests hand in their own. */
export interface Surroundings {
	open(url: string): Source;
	after(ms: number, run: () => void): () => void;
	random(): number;
}

/** Watches change in bursts when a page is left for another; they settle within this many milliseconds. */
const SETTLE_MS = 30;
const SHORTEST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** The longest query that no proxy on the way refuses holds about so many ids. */
const MOST_IDS = 100;

type Listener = (message: ToTab) => void;

/** Owns the one event stream of a browser: the union of what its tabs watch. */
export class Hub {
	private readonly tabs = new Map<Listener, Watch>();
	private source: Source | undefined;
	private url = '';
	private state: LinkState = 'idle';
	private failures = 0;
	private cancel: () => void = () => {};

	constructor(private readonly around: Surroundings) {}

	/** Adds a tab, or changes what it watches. */
	watch(tab: Listener, watch: Watch) {
		if (!this.tabs.has(tab)) tab({ kind: 'link', state: this.state });
		this.tabs.set(tab, watch);
		this.settle();
	}

	/** A tab has gone. */
	leave(tab: Listener) {
		if (this.tabs.delete(tab)) this.settle();
	}

	/** Opens the stream anew: somebody else has signed in, or the network is back. */
	restart() {
		this.close();
		this.failures = 0;
		this.settle();
	}

	private settle() {
		if (this.failures > 0 && !this.source && this.state === 'reconnecting') {
			// The wait for the next attempt goes on; it takes the union of that moment.
			if (this.wanted() === '') this.idle();
			return;
		}
		this.cancel();
		this.cancel = this.around.after(SETTLE_MS, () => this.connect());
	}

	private connect() {
		const url = this.wanted();
		if (url === '') return this.idle();
		if (url === this.url && this.source) return;
		this.close();
		this.url = url;
		this.become(this.failures > 0 ? 'reconnecting' : 'connecting');
		const source = this.around.open(url);
		this.source = source;
		source.onopen = () => {
			this.failures = 0;
			this.become('live');
		};
		source.onerror = () => {
			if (this.source === source) this.retry();
		};
		source.addEventListener('operation', ({ data }) => {
			const operation = parsed<Operation>(data);
			if (operation) this.tell({ kind: 'operation', operation });
		});
		source.addEventListener('result', ({ data }) => {
			const result = parsed<OperationResult & { operation_id: string }>(data);
			if (result) this.tell({ kind: 'result', operationId: result.operation_id, result });
		});
	}

	/** The browser's own retry knows no backoff and gives up on an error status, so it is not used. */
	private retry() {
		this.close();
		this.failures += 1;
		this.become('reconnecting');
		const longest = Math.min(LONGEST_WAIT_MS, SHORTEST_WAIT_MS * 2 ** (this.failures - 1));
		this.cancel();
		this.cancel = this.around.after(longest * (0.5 + this.around.random() / 2), () => this.connect());
	}

	private idle() {
		this.cancel();
		this.close();
		this.failures = 0;
		this.become('idle');
	}

	private close() {
		this.source?.close();
		this.source = undefined;
		this.url = '';
	}

	private wanted(): string {
		const watches = [...this.tabs.values()];
		const ids = [...new Set(watches.flatMap((watch) => watch.ids))].sort().slice(-MOST_IDS);
		const query = new URLSearchParams(ids.map((id) => ['id', id]));
		if (watches.some((watch) => watch.list)) query.set('list', 'true');
		const text = query.toString();
		return text && `${BASE}/operations/events?${text}`;
	}

	private become(state: LinkState) {
		if (state === this.state) return;
		this.state = state;
		this.tell({ kind: 'link', state });
	}

	private tell(message: ToTab) {
		for (const tab of this.tabs.keys()) tab(message);
	}
}

function parsed<T>(data: string): T | undefined {
	try {
		return JSON.parse(data) as T;
	} catch {
		return undefined;
	}
}

/** The surroundings of a browser, in a page and in a shared worker alike. */
export const browser: Surroundings = {
	open: (url) => new EventSource(url),
	after: (ms, run) => {
		const timer = setTimeout(run, ms);
		return () => clearTimeout(timer);
	},
	random: Math.random
};
