import { api } from '#lib/api/client.ts';
import { subscribable } from '#lib/channels/subscribable.ts';
import { guarded } from '#lib/state/guarded.ts';
import { session } from '#lib/state/session.svelte.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url, params, parent }) => {
	await parent();
	const client = api(fetch);
	const [subscription, deliveries, about] = await guarded(
		url,
		Promise.all([
			client.subscription(params.id),
			session.may('subscriptions:manage') ? client.deliveries({ subscription: params.id }) : [],
			subscribable(fetch)
		])
	);
	return { subscription, deliveries, about };
};
