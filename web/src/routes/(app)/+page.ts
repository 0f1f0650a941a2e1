import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import { session } from '#lib/state/session.svelte.ts';
import type { PageLoad } from './$types';

/** So many lines of the timeline are shown. */
const EVENTS = 6;

export const load: PageLoad = async ({ fetch, url, parent, depends }) => {
	depends('netwark:operations');
	await parent();
	const client = api(fetch);
	const loading = Promise.all([
		client.status(),
		client.operations({ per_page: 8 }),
		client.operations({ type: 'ping', status: 'done', per_page: 1 }),
		client.operations({ type: 'mtr', status: 'done', per_page: 1 }),
		client.workers(),
		session.may('tokens:manage') ? client.tokens() : [],
		session.may('events:read') ? client.events({ per_page: EVENTS }) : []
	]);
	const [status, latest, pings, traces, workers, tokens, events] = await guarded(url, loading);
	return {
		status,
		latest: latest.rows,
		pings: pings.total,
		traces: traces.total,
		workers,
		tokens,
		events,
		events_shown: EVENTS
	};
};
