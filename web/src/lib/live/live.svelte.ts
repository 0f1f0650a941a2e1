import { SvelteMap } from 'svelte/reactivity';
import type { Operation, OperationDetail, OperationResult } from '../api/types.ts';
import { connect, type Connection } from './connection.ts';
import { mergeOperation, mergeResult } from './merge.ts';
import type { LinkState, ToTab } from './messages.ts';

/** So many headers are remembered; a list shows far fewer. */
const MOST_HEADERS = 500;

/** What the event stream has told this tab, and the way to ask it for more. */
export class Live {
	/** How the stream stands. */
	link = $state<LinkState>('idle');
	/** How often the stream has opened. Lists have no snapshot of their own, so they are read anew then. */
	opened = $state(0);
	/** The latest header of every operation heard of since something watched it. */
	readonly operations = new SvelteMap<string, Operation>();
	private readonly results = new SvelteMap<string, SvelteMap<string, OperationResult>>();
	/** Watched operations; one that is watched twice stands here twice. */
	private ids: string[] = [];
	private lists = 0;
	private connection: Connection | undefined;

	constructor(private readonly open: (listen: (message: ToTab) => void) => Connection = connect) {}

	/** Watches one operation with its results until the returned function is called. */
	watch(id: string): () => void {
		this.ids.push(id);
		this.send();
		return () => {
			this.ids = this.ids.toSpliced(this.ids.indexOf(id), 1);
			if (!this.ids.includes(id)) this.results.delete(id);
			this.send();
		};
	}

	/** Watches the headers of every operation until the returned function is called. */
	watchList(): () => void {
		this.lists += 1;
		this.send();
		return () => {
			this.lists -= 1;
			this.send();
		};
	}

	/** Opens the stream anew, as somebody else. */
	restart() {
		this.operations.clear();
		this.results.clear();
		this.connection?.restart();
	}

	/** A detail with everything the stream has told since it was loaded. */
	detail(loaded: OperationDetail): OperationDetail {
		const header = this.operations.get(loaded.id);
		let detail = header ? (mergeOperation(loaded, header) as OperationDetail) : loaded;
		for (const result of this.results.get(loaded.id)?.values() ?? []) detail = mergeResult(detail, result);
		return detail;
	}

	/** Takes in one message. */
	hear(message: ToTab) {
		if (message.kind === 'link') {
			if (message.state === 'live' && this.link !== 'live') this.opened += 1;
			this.link = message.state;
		} else if (message.kind === 'operation') {
			const { operation } = message;
			const merged = mergeOperation(this.operations.get(operation.id), operation);
			this.operations.set(operation.id, merged);
			if (this.operations.size > MOST_HEADERS) this.forget();
		} else if (this.ids.includes(message.operationId)) {
			const known = this.results.get(message.operationId) ?? new SvelteMap<string, OperationResult>();
			this.results.set(message.operationId, known);
			const before = known.get(message.result.id);
			if (!before || before.version < message.result.version) known.set(message.result.id, message.result);
		}
	}

	/** Drops what was heard first, unless it is watched by its id. */
	private forget() {
		for (const id of this.operations.keys()) {
			if (this.operations.size <= MOST_HEADERS / 2) return;
			if (!this.ids.includes(id)) this.operations.delete(id);
		}
	}

	private send() {
		this.connection ??= this.open((message) => this.hear(message));
		this.connection.watch({
			ids: this.ids.filter((id, i) => this.ids.indexOf(id) === i),
			list: this.lists > 0
		});
	}
}

/** The stream of this tab. */
export const live = new Live();
