import { error } from '@sveltejs/kit';
import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import { session } from '#lib/state/session.svelte.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url, parent }) => {
	await parent();
	if (!session.may('workers:manage')) {
		error(403, { title: 'Not allowed', message: 'Only administrators add workers.' });
	}
	const [queues, workers] = await guarded(url, Promise.all([api(fetch).queues(), api(fetch).workers()]));
	return { queues, names: workers.map(({ name }) => name) };
};
