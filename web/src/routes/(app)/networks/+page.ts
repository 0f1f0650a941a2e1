import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url }) => {
	return { networks: await guarded(url, api(fetch).networks()) };
};
