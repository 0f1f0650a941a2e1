import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url }) => {
	const client = api(fetch);
	const [workers, status] = await guarded(url, Promise.all([client.workers(), client.status()]));
	return { workers, server: status.version };
};
