import { api, type AccessFilter } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

const PER_PAGE = 100;

export const load: PageLoad = async ({ fetch, url }) => {
	const read = (name: string) => url.searchParams.get(name) ?? '';
	const filter: AccessFilter = {
		network: read('network'),
		action: read('action'),
		q: read('q'),
		page: Math.max(1, Number.parseInt(read('page'), 10) || 1),
		per_page: PER_PAGE
	};
	const client = api(fetch);
	const [list, networks] = await guarded(url, Promise.all([client.accessList(filter), client.networks()]));
	return { list, networks, filter, pages: Math.max(1, Math.ceil(list.total / PER_PAGE)) };
};
