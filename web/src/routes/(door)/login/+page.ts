import { api } from '#lib/api/client.ts';
import { guarded, wayBack } from '#lib/state/guarded.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ fetch, url }) => ({
	session: await guarded(url, api(fetch).session()),
	next: wayBack(url.searchParams.get('next'))
});
