import { api, type OperationFilter } from '#lib/api/client.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

const PER_PAGE = 50;

export const load: PageLoad = async ({ fetch, url, depends }) => {
	depends('netwark:operations');
	const read = (name: string) => url.searchParams.get(name) ?? '';
	const filter: OperationFilter = {
		status: read('status'),
		type: read('type'),
		target: read('target'),
		page: Math.max(1, Number.parseInt(read('page'), 10) || 1),
		per_page: PER_PAGE
	};
	const client = api(fetch);
	const [list, tools] = await guarded(url, Promise.all([client.operations(filter), client.tools()]));
	return { list, tools, filter, pages: Math.max(1, Math.ceil(list.total / PER_PAGE)) };
};
