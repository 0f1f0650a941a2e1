import { SvelteMap } from 'svelte/reactivity';
import type { Operation, OperationDetail, OperationResult } from '../api/types.ts';
import { connect, type Connection } from './connection.ts';
import { mergeOperation, mergeResult } from './merge.ts';
import type { LinkState, ToTab } from './messages.ts';

/** What the event stream has told this tab, and the way to ask it for more. */
export class Live {
	/** How the stream stands. */
	link = $state<LinkState>('idle');
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
		if (message.kind === 'link') this.link = message.state;
		else if (message.kind === 'operation') {
			const { operation } = message;
			const merged = mergeOperation(this.operations.get(operation.id), operation);
			this.operations.set(operation.id, merged);
		} else if (this.ids.includes(message.operationId)) {
			const known = this.results.get(message.operationId) ?? new SvelteMap<string, OperationResult>();
			this.results.set(message.operationId, known);
			const before = known.get(message.result.id);
			if (!before || before.version < message.result.version) known.set(message.result.id, message.result);
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
