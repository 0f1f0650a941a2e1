import { keep, kept } from '../state/kept.ts';

/** What a list of devices can be narrowed by, and how it is sorted. */
export const FILTERS = ['network', 'access', 'presence', 'type', 'tag', 'q', 'sort', 'descending'] as const;

/** A filter somebody keeps in this browser: its name, and the query it stands for. */
export interface SavedFilter {
	name: string;
	query: string;
}

const KEY = 'device-filters';
/** Most filters that are kept. */
const MOST = 20;

/** The filters that are kept, oldest first. What is no list of filters counts as none. */
export function savedFilters(): SavedFilter[] {
	try {
		const list: unknown = JSON.parse(kept(KEY, '[]'));
		if (!Array.isArray(list)) return [];
		return list.filter(
			(one): one is SavedFilter => typeof one?.name === 'string' && typeof one?.query === 'string'
		);
	} catch {
		return [];
	}
}

/** Keeps a filter under a name; one of the same name is replaced. */
export function saveFilter(name: string, query: string): SavedFilter[] {
	const others = savedFilters().filter((one) => one.name !== name);
	const list = [...others, { name, query }].slice(-MOST);
	keep(KEY, JSON.stringify(list));
	return list;
}

export function dropFilter(name: string): SavedFilter[] {
	const list = savedFilters().filter((one) => one.name !== name);
	keep(KEY, JSON.stringify(list));
	return list;
}
