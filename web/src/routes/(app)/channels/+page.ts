import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url }) => {
	return { channels: await guarded(url, api(fetch).channels()) };
};
