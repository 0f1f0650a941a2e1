import { api, type EventFilter } from '#lib/api/client.ts';
import { AT_ONCE } from '#lib/events/timeline.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url }) => {
	const filter: EventFilter = {
		worker: url.searchParams.get('worker') ?? '',
		severity: url.searchParams.get('severity') ?? '',
		per_page: AT_ONCE
	};
	const client = api(fetch);
	const [events, workers] = await guarded(url, Promise.all([client.events(filter), client.workers()]));
	return { events, workers, filter };
};
