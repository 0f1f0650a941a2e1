import type { SchemaProperty, ToolInfo } from '../api/types.ts';

/** One field of a form, read from a property of a tool's JSON Schema. */
export interface Field {
	name: string;
	label: string;
	/** What stands behind the number: `ms`, `bytes`. */
	unit: string;
	help: string;
	input: 'integer' | 'number' | 'text' | 'checkbox' | 'choice' | 'lines' | 'json';
	choices: string[];
	minimum?: number;
	maximum?: number;
	maxLength?: number;
	/** The default as the field would show it, empty when there is none. */
	fallback: string;
}

/** What was typed, by name of the field; an empty text leaves the default. */
export type Values = Record<string, string>;

/** The fields of a tool's form. A property of a kind this page does not know is a field for JSON. */
export function fieldsOf(tool: ToolInfo): Field[] {
	return Object.entries(tool.schema.properties ?? {}).map(([name, property]) => fieldOf(name, property));
}

function fieldOf(name: string, property: SchemaProperty): Field {
	const branch = branchOf(property);
	const { label, unit } = spoken(name);
	const types = [branch.type ?? []].flat().filter((type) => type !== 'null');
	const fallback = property.default ?? branch.default;
	return {
		name,
		label,
		unit,
		help: helpOf(property.description ?? branch.description ?? ''),
		input: inputOf(types, branch),
		choices: (branch.enum ?? []).filter((choice) => choice !== null).map(String),
		minimum: branch.minimum,
		maximum: branch.maximum,
		maxLength: branch.maxLength,
		fallback: fallback === undefined || fallback === null ? '' : textOf(fallback, inputOf(types, branch))
	};
}

/** What an option is for, without what is said of its flag in the shell. */
function helpOf(description: string): string {
	return description.replace(/; (`-\w` takes|with k, M or G in the shell)[^.]*/u, '').replaceAll('`', '');
}

/** The property itself, or the branch of it that is not `null`. */
function branchOf(property: SchemaProperty): SchemaProperty {
	const branches = property.oneOf ?? property.anyOf ?? property.allOf;
	const branch = branches?.find((one) => one.type !== 'null');
	return branch ? { ...property, ...branchOf(branch) } : property;
}

function inputOf(types: string[], { enum: choices, items }: SchemaProperty): Field['input'] {
	if (choices && choices.every((choice) => typeof choice === 'string' || choice === null)) return 'choice';
	if (types.length !== 1) return types.length === 0 ? 'text' : 'json';
	switch (types[0]) {
		case 'integer':
			return 'integer';
		case 'number':
			return 'number';
		case 'boolean':
			return 'checkbox';
		case 'string':
			return 'text';
		case 'array':
			return items?.type === 'string' ? 'lines' : 'json';
		default:
			return 'json';
	}
}

const SHORT_FORMS = new Set(['ttl', 'dscp', 'tos', 'dns', 'tls', 'tcp', 'udp', 'http', 'mtu', 'ip', 'url']);

/** `interval_ms` is `Interval` in `ms`. */
function spoken(name: string): { label: string; unit: string } {
	const words = name.split('_');
	const unit =
		words.length > 1 && ['ms', 'bytes', 's'].includes(words.at(-1) ?? '') ? (words.pop() ?? '') : '';
	const text = words
		.map((word) => (SHORT_FORMS.has(word) ? word.toUpperCase() : word === 'dont' ? "don't" : word))
		.join(' ');
	return { label: text.charAt(0).toUpperCase() + text.slice(1), unit };
}

/** A value as its field shows it; a list has a line for each of its texts. */
function textOf(value: unknown, input: Field['input']): string {
	if (input === 'lines' && Array.isArray(value)) return value.map(String).join('\n');
	return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The options to send, and what is wrong with which field. Fields left at their default are left out. */
export function optionsOf(fields: Field[], values: Values) {
	const options: Record<string, unknown> = {};
	const errors: Record<string, string> = {};
	for (const field of fields) {
		const text = (values[field.name] ?? '').trim();
		if (text === '' || text === field.fallback) continue;
		const read = valueOf(field, text);
		if ('error' in read) errors[field.name] = read.error;
		else options[field.name] = read.value;
	}
	return { options, errors };
}

function valueOf(field: Field, text: string): { value: unknown } | { error: string } {
	switch (field.input) {
		case 'integer':
		case 'number': {
			const number = Number(text);
			if (!Number.isFinite(number)) return { error: 'must be a number' };
			if (field.input === 'integer' && !Number.isInteger(number)) return { error: 'must be a whole number' };
			if (field.minimum !== undefined && number < field.minimum) {
				return { error: `must be at least ${field.minimum}` };
			}
			if (field.maximum !== undefined && number > field.maximum) {
				return { error: `must be at most ${field.maximum}` };
			}
			return { value: number };
		}
		case 'checkbox':
			return { value: text === 'true' };
		case 'lines':
			return {
				value: text
					.split('\n')
					.map((line) => line.trim())
					.filter((line) => line !== '')
			};
		case 'json':
			try {
				return { value: JSON.parse(text) as unknown };
			} catch {
				return { error: 'must be JSON' };
			}
		default:
			if (field.maxLength !== undefined && text.length > field.maxLength) {
				return { error: `must have at most ${field.maxLength} characters` };
			}
			return { value: text };
	}
}

/** What the form shows for options that were sent before: only what is not the default. */
export function valuesOf(fields: Field[], options: Record<string, unknown>): Values {
	const values: Values = {};
	for (const field of fields) {
		const value = options[field.name];
		if (value === undefined || value === null) continue;
		const text = textOf(value, field.input);
		if (text !== field.fallback) values[field.name] = text;
	}
	return values;
}
