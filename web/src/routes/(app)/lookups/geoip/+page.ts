import { api } from '#lib/api/client.ts';
import { Problem } from '#lib/api/problem.ts';
import type { GeoAnswer } from '#lib/api/types.ts';
import { readAddresses } from '#lib/lookups/geoip/addresses.ts';
import { guarded } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url }) => {
	const client = api(fetch);
	const query = url.searchParams.getAll('q').join(' ');
	const asked = readAddresses(query);
	const [files, looked] = await guarded(
		url,
		Promise.all([client.geoFiles(), asked.length > 0 ? answers(client.locate(asked)) : none])
	);
	return { query, asked, files, ...looked };
};

interface Looked {
	answers: GeoAnswer[];
	/** What is wrong with what was asked. */
	problem: Problem | undefined;
}
const none: Looked = { answers: [], problem: undefined };

/** A mistake in what was typed belongs beside it, everything else is the page's error. */
async function answers(looking: Promise<GeoAnswer[]>): Promise<Looked> {
	try {
		return { answers: await looking, problem: undefined };
	} catch (thrown) {
		if (thrown instanceof Problem && thrown.status === 400) return { answers: [], problem: thrown };
		throw thrown;
	}
}
