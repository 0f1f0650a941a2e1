import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import { session } from '#lib/state/session.svelte.ts';
import type { PageLoad } from './$types';

/** Who may not see what was told sees the channel alone. */
const mayRead = () => session.may('subscriptions:manage');

export const load: PageLoad = async ({ fetch, url, params, parent }) => {
	await parent();
	const read = (fetcher?: typeof globalThis.fetch) => {
		const client = api(fetcher);
		return Promise.all([
			client.channel(params.id),
			mayRead() ? client.deliveries({ channel: params.id }) : []
		]);
	};
	return { now: await guarded(url, read(fetch)), read };
};
