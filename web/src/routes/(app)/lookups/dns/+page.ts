import { queryOf } from '#lib/dns/query.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = ({ url }) => ({ query: queryOf(url.searchParams) });
