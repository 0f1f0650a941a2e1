import { api, type DeviceFilter } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import { FILTERS } from '#lib/watch/filters.ts';
import type { PageLoad } from './$types';

const PER_PAGE = 100;

export const load: PageLoad = async ({ fetch, url }) => {
	const read = Object.fromEntries(FILTERS.map((name) => [name, url.searchParams.get(name) ?? '']));
	const filter: DeviceFilter = {
		...read,
		page: Math.max(1, Number.parseInt(url.searchParams.get('page') ?? '', 10) || 1),
		per_page: PER_PAGE
	};
	const client = api(fetch);
	const [list, networks, types] = await guarded(
		url,
		Promise.all([client.devices(filter), client.networks(), client.deviceTypes()])
	);
	return { list, networks, types, filter, pages: Math.max(1, Math.ceil(list.total / PER_PAGE)) };
};
