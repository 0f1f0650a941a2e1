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
