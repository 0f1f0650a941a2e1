import type { ToolInfo } from '../api/types.ts';
import { fieldsOf, valuesOf } from '../forms/fields.ts';

/** The options of an operation in a line, those that are not the default of its tool; programs send all of them. */
export function optionWords(options: unknown, tool: ToolInfo | undefined): string {
	if (typeof options === 'string') return options;
	const sent = (options ?? {}) as Record<string, unknown>;
	const words = tool ? valuesOf(fieldsOf(tool), sent) : sent;
	return Object.entries(words)
		.map(([name, value]) => `${name} ${String(value).replaceAll('\n', ' ')}`)
		.join(', ');
}
