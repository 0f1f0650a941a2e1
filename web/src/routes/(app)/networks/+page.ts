import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import { session } from '#lib/state/session.svelte.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url, parent }) => {
	await parent();
	const read = async (fetcher: typeof globalThis.fetch) => {
		// Who may not watch one is not offered any.
		const offers = session.may('watch:write') ? api(fetcher).networkOffers() : [];
		return Promise.all([api(fetcher).networks(), offers]);
	};
	return { now: await guarded(url, read(fetch)), read: () => read(globalThis.fetch) };
};
