import { api } from '#lib/api/client.ts';
import { asProblem } from '#lib/api/problem.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

const PER_PAGE = 50;

export const load: PageLoad = async ({ fetch, url }) => {
	const q = url.searchParams.get('q')?.trim() ?? '';
	const page = Math.max(1, Math.floor(Number(url.searchParams.get('page'))) || 1);
	const nothing = { q, page, perPage: PER_PAGE, answer: undefined, list: undefined, wrong: undefined };
	if (!q) return nothing;
	const client = api(fetch);
	const asked = async () => {
		const answer = await client.macVendor(q);
		const filter = answer.kind === 'name' ? { q } : answer.kind === 'prefix' ? { assignment: q } : undefined;
		const list = filter && (await client.macAssignments({ ...filter, page, per_page: PER_PAGE }));
		return { ...nothing, answer, list };
	};
	return guarded(
		url,
		asked().catch((thrown: unknown) => {
			const problem = asProblem(thrown);
			// What was typed wrong is said beside the box it was typed into.
			if (problem.status !== 400) throw problem;
			return { ...nothing, wrong: problem.plain };
		})
	);
};
