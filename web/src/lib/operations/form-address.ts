import type { NewOperation } from '../api/types.ts';

/** The address of the form that is filled in with an operation, so that it can be changed before it is run. */
export function formOf({ type, target, options }: NewOperation): `/operations/new?${string}` {
	const params = new URLSearchParams({ type, target });
	if (options && typeof options === 'object') params.set('options', JSON.stringify(options));
	return `/operations/new?${params}`;
}

/** The options that stand in the address of the form; what is no object is left out. */
export function optionsIn(params: URLSearchParams): Record<string, unknown> {
	try {
		const read: unknown = JSON.parse(params.get('options') ?? '{}');
		return typeof read === 'object' && read !== null && !Array.isArray(read)
			? (read as Record<string, unknown>)
			: {};
	} catch {
		return {};
	}
}
