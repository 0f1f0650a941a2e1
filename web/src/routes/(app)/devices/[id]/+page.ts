import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import { session } from '#lib/state/session.svelte.ts';
import type { PageLoad } from './$types';

/** So many lines of the timeline are shown. */
const EVENTS = 10;
/** So many days of presence are drawn. */
const DAYS = 14;

export const load: PageLoad = async ({ fetch, url, params, parent }) => {
	await parent();
	const read = (fetcher?: typeof globalThis.fetch) => {
		const client = api(fetcher);
		const since = new Date(Date.now() - DAYS * 86_400_000).toISOString();
		return Promise.all([
			client.device(params.id),
			client.deviceHistory(params.id),
			client.devicePresence(params.id, since),
			session.may('events:read') ? client.events({ device: params.id, per_page: EVENTS }) : []
		]);
	};
	const [now, types] = await guarded(url, Promise.all([read(fetch), api(fetch).deviceTypes()]));
	return { now, read, types, days: DAYS };
};
