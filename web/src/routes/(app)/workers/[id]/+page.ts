import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import { session } from '#lib/state/session.svelte.ts';
import type { PageLoad } from './$types';

/** So many lines of the timeline stand beside the worker. */
const EVENTS = 8;

export const load: PageLoad = async ({ fetch, url, params, parent }) => {
	await parent();
	const read = (fetcher?: typeof globalThis.fetch) => {
		const client = api(fetcher);
		return Promise.all([
			client.worker(params.id),
			session.may('events:read') ? client.events({ worker: params.id, per_page: EVENTS }) : []
		]);
	};
	const client = api(fetch);
	const loading = Promise.all([
		read(fetch),
		client.status(),
		session.may('workers:manage') ? client.queues() : []
	]);
	const [now, status, queues] = await guarded(url, loading);
	return { now, read, server: status.version, queues };
};
