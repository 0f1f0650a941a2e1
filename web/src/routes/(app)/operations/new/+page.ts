import { api } from '#lib/api/client.ts';
import { optionsIn } from '#lib/operations/form-address.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url }) => {
	const client = api(fetch);
	const from = url.searchParams.get('from');
	const loading = Promise.all([
		client.tools(),
		client.queues(),
		client.workers(),
		from ? client.operation(from) : null
	]);
	const [tools, queues, workers, earlier] = await guarded(url, loading);
	return {
		tools,
		queues,
		workers,
		earlier,
		type: earlier?.type ?? url.searchParams.get('type') ?? '',
		options: optionsIn(url.searchParams),
		target: earlier?.target ?? url.searchParams.get('target') ?? ''
	};
};
