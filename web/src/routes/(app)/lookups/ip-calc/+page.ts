import type { PageLoad } from './$types';

export const load: PageLoad = ({ url }) => ({
	q: url.searchParams.get('q') ?? '',
	mac: url.searchParams.get('mac') ?? ''
});
