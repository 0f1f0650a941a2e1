import { subscribable } from '#lib/channels/subscribable.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url, parent }) => {
	await parent();
	return { about: await guarded(url, subscribable(fetch)) };
};
