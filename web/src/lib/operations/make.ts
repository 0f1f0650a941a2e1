import { api } from '../api/client.ts';
import type { NewOperation } from '../api/types.ts';
import { toasts } from '../state/toasts.svelte.ts';

/** Makes an operation and says what may keep it from what was wanted. Returns its id. */
export async function make(operation: NewOperation): Promise<string> {
	const { operation_id, warnings = [] } = await api().create(operation);
	for (const warning of warnings) toasts.show(warning, 'warning');
	return operation_id;
}
