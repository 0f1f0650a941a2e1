import { api, type EventFilter } from '#lib/api/client.ts';
import { AT_ONCE } from '#lib/events/timeline.ts';
import { guarded } from '#lib/state/guarded.ts';
import { session } from '#lib/state/session.svelte.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url, parent }) => {
	await parent();
	const read = (name: string) => url.searchParams.get(name) ?? '';
	const filter: EventFilter = {
		worker: read('worker'),
		network: read('network'),
		device: read('device'),
		kind: read('kind'),
		q: read('q'),
		acknowledged: read('acknowledged'),
		severity: read('severity'),
		per_page: AT_ONCE
	};
	const client = api(fetch);
	const networks = session.may('watch:read') ? client.networks() : [];
	const loading = Promise.all([client.events(filter), client.workers(), networks]);
	const [events, workers, known] = await guarded(url, loading);
	return { events, workers, networks: known, filter };
};
