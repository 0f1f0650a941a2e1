import type { OperationFilter } from '../api/client.ts';
import type { Operation } from '../api/types.ts';
import { mergeOperation } from '../live/merge.ts';

/** The rows of a page of the list with what has changed since; new operations join the first page only. */
export function withNews(rows: Operation[], news: Iterable<Operation>, filter: OperationFilter): Operation[] {
	const merged = new Map(rows.map((row) => [row.id, row]));
	const newest = rows[0]?.id ?? '';
	for (const one of news) {
		const known = merged.get(one.id);
		if (known) merged.set(one.id, mergeOperation(known, one));
		// Ids rise with time, so that a later id is a later operation.
		else if ((filter.page ?? 1) === 1 && one.id > newest && fits(one, filter)) merged.set(one.id, one);
	}
	return [...merged.values()].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, filter.per_page);
}

function fits(operation: Operation, { status, type, target }: OperationFilter): boolean {
	return (
		(!status || operation.status === status) &&
		(!type || operation.type === type) &&
		(!target || operation.target.toLowerCase().includes(target.toLowerCase()))
	);
}
