import { api } from '../api/client.ts';
import { session } from '../state/session.svelte.ts';

/** What a subscription can be about, and where it can go. */
export async function subscribable(fetcher?: typeof fetch) {
	const client = api(fetcher);
	const [channels, networks, workers] = await Promise.all([
		client.channels(),
		session.may('watch:read') ? client.networks() : [],
		session.may('workers:read') ? client.workers() : []
	]);
	return { channels, networks, workers };
}

export type Subscribable = Awaited<ReturnType<typeof subscribable>>;
