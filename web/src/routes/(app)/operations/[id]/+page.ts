import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url, params }) => {
	const client = api(fetch);
	const [loaded, tools] = await guarded(url, Promise.all([client.operation(params.id), client.tools()]));
	return { loaded, tools };
};
