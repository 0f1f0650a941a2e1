import type { Operation, OperationDetail, OperationResult } from '../api/types.ts';

/** A list with the operation put in its place: what is older than what stands there changes nothing. */
export function mergeOperation<T extends Operation>(known: T | undefined, news: Operation): T | Operation {
	if (known && known.version >= news.version) return known;
	return known ? { ...known, ...news } : news;
}

/** A detail with one result replaced or added; an older version of it changes nothing. */
export function mergeResult(detail: OperationDetail, news: OperationResult): OperationDetail {
	const at = detail.results.findIndex((result) => result.id === news.id);
	const known = detail.results[at];
	if (known && known.version >= news.version) return detail;
	const results = known ? detail.results.with(at, news) : [...detail.results, news];
	return { ...detail, results };
}

/** True when nothing more is to come. */
export function isFinal(status: Operation['status']): boolean {
	return status !== 'pending' && status !== 'progress';
}
