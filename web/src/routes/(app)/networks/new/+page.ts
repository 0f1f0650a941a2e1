import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url }) => {
	const [worker, link] = [url.searchParams.get('worker'), url.searchParams.get('link')];
	const asked = worker ? api(fetch).networkOffers() : [];
	const [workers, offers] = await guarded(url, Promise.all([api(fetch).workers(), asked]));
	return {
		workers,
		// One that was taken meanwhile leaves an empty form.
		offer: offers.find((offer) => offer.worker_id === worker && offer.link.interface === link)
	};
};
