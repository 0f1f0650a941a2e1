import { api } from '../api/client.ts';
import type { Operation, Queue, Suggestion, ToolInfo, Worker } from '../api/types.ts';

/** What the command bar completes from; fetched when it is first opened, fresh at every opening. */
class Catalog {
	tools = $state.raw<ToolInfo[]>([]);
	queues = $state.raw<Queue[]>([]);
	workers = $state.raw<Worker[]>([]);
	recent = $state.raw<Operation[]>([]);
	suggestions = $state.raw<Suggestion[]>([]);

	async refresh() {
		const client = api();
		const [tools, queues, workers, recent, status] = await Promise.all([
			this.tools.length > 0 ? this.tools : client.tools(),
			client.queues(),
			client.workers(),
			client.operations({ per_page: 30 }),
			client.status()
		]);
		this.tools = tools;
		this.queues = queues;
		this.workers = workers;
		this.recent = recent.rows;
		this.suggestions = status.suggestions;
	}
}

export const catalog = new Catalog();
