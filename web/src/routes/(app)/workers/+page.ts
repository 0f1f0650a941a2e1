import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url, depends }) => {
	depends('netwark:workers');
	const client = api(fetch);
	const [workers, queues] = await guarded(url, Promise.all([client.workers(), client.queues()]));
	return { workers, queues };
};
