import { api } from '../api/client.ts';
import type { Operation, Queue, Suggestion, ToolInfo } from '../api/types.ts';

/** What the command bar completes from; fetched when it is first opened, fresh at every opening. */
class Catalog {
	tools = $state.raw<ToolInfo[]>([]);
	queues = $state.raw<Queue[]>([]);
	recent = $state.raw<Operation[]>([]);
	suggestions = $state.raw<Suggestion[]>([]);

	async refresh() {
		const client = api();
		const [tools, queues, recent, status] = await Promise.all([
			this.tools.length > 0 ? this.tools : client.tools(),
			client.queues(),
			client.operations({ per_page: 30 }),
			client.status()
		]);
		this.tools = tools;
		this.queues = queues;
		this.recent = recent.rows;
		this.suggestions = status.suggestions;
	}
}

export const catalog = new Catalog();
