import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import { session } from '#lib/state/session.svelte.ts';
import type { PageLoad } from './$types';

/** So many sweeps and lines of the timeline are shown. */
const SHOWN = 10;

export const load: PageLoad = async ({ fetch, url, params, parent }) => {
	await parent();
	const read = (fetcher?: typeof globalThis.fetch) => {
		const client = api(fetcher);
		return Promise.all([
			client.network(params.id),
			client.sweeps(params.id, SHOWN),
			session.may('events:read') ? client.events({ network: params.id, per_page: SHOWN }) : []
		]);
	};
	const workers = session.may('workers:read') ? api(fetch).workers() : [];
	const [now, known] = await guarded(url, Promise.all([read(fetch), workers]));
	return { now, read, workers: known };
};
