import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url }) => {
	const read = (fetcher?: typeof globalThis.fetch) =>
		Promise.all([api(fetcher).subscriptions(), api(fetcher).channels()]);
	return { now: await guarded(url, read(fetch)), read };
};
