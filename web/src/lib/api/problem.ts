import type { FieldError } from './types.ts';

/** What the server answered when it did not do what it was asked (RFC 9457), or why there was no answer. */
export class Problem extends Error {
	readonly status: number;
	readonly title: string;
	readonly detail: string;
	readonly errors: FieldError[];

	constructor(status: number, title: string, detail: string, errors: FieldError[] = []) {
		super(detail || title);
		this.name = 'Problem';
		this.status = status;
		this.title = title;
		this.detail = detail;
		this.errors = errors;
	}

	/** What is wrong with the field of this name, if anything. */
	of(field: string): string | undefined {
		return this.errors.find((error) => error.name === field)?.description;
	}

	/** What is wrong, without the names of fields: for what has one box, beside which it is said. */
	get plain(): string {
		return this.errors.map(({ description }) => description).join('; ') || this.message;
	}

	/** What is wrong with this field or a part of it: `tags` for `tags[2]`, too. */
	within(field: string): string | undefined {
		const parts = this.errors.filter(({ name }) => belongsTo(name, field));
		if (parts.length === 0) return undefined;
		const words = ({ name, description }: FieldError) => {
			const part = name.slice(field.length).replace(/^\./, '');
			const counted = part.replace(/^\[(\d+)\]/, (_, at) => `number ${Number(at) + 1}`);
			return part ? `(${counted}) ${description}` : description;
		};
		return parts.map(words).join('; ');
	}

	/** What is wrong besides these fields, as one text; the whole problem when no field is named. */
	besides(fields: readonly string[]): string | undefined {
		if (this.errors.length === 0) return this.message;
		const others = this.errors.filter(({ name }) => !fields.some((field) => belongsTo(name, field)));
		return others.map(({ name, description }) => `${name} ${description}`).join('; ') || undefined;
	}
}

function belongsTo(name: string, field: string): boolean {
	return name === field || name.startsWith(`${field}[`) || name.startsWith(`${field}.`);
}

/** A problem from an answer that is not 2xx, whatever its body is. */
export function problemOf(response: Response, body: unknown): Problem {
	const known = typeof body === 'string' ? parsed(body) : body;
	if (typeof known !== 'object' || known === null) {
		const title = response.statusText || `Error ${response.status}`;
		return new Problem(response.status, title, 'The server gave no reason.');
	}
	const { title, detail, errors } = known as { title?: unknown; detail?: unknown; errors?: unknown };
	return new Problem(
		response.status,
		typeof title === 'string' ? title : `Error ${response.status}`,
		typeof detail === 'string' ? detail : '',
		Array.isArray(errors) ? (errors as FieldError[]) : []
	);
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** Anything that was thrown, as a problem. */
export function asProblem(thrown: unknown): Problem {
	if (thrown instanceof Problem) return thrown;
	if (thrown instanceof TypeError) {
		return new Problem(0, 'No answer', 'The server does not answer. Is it running?');
	}
	return new Problem(
		0,
		'Something failed in this page',
		thrown instanceof Error ? thrown.message : String(thrown)
	);
}
