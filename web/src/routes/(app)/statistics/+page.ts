import { api } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url }) => {
	const read = (name: string) => url.searchParams.get(name) ?? '';
	const [from, to, network] = [read('from'), read('to'), read('network')];
	const client = api(fetch);
	const [events, devices, presence, networks] = await guarded(
		url,
		Promise.all([
			client.eventStatistics({ from, to, network }),
			client.deviceStatistics({ from, to }),
			client.presenceStatistics({ from, to, network }),
			client.networks()
		])
	);
	return { events, devices, presence, networks, network };
};
