import { tokens } from './lexer.ts';
import { parseSelector, termsOf, type Term } from './parse.ts';

/** Puts a term into a selector, or takes it out where it stands in a plain list; the text stays as it was typed. */
export function toggled(text: string, term: string): string {
	const list = listOf(text);
	if (list?.some((one) => text.slice(one.start, one.end) === term)) {
		return list
			.map((one) => text.slice(one.start, one.end))
			.filter((word) => word !== term)
			.join(', ');
	}
	if (text.trim() === '') return term;
	const limit = limitOf(text);
	const before = text.slice(0, limit).trim();
	return [before + (/[,(]$|\b(and|or|not)$/i.test(before) ? ' ' : ', ') + term, text.slice(limit)]
		.join(' ')
		.trim();
}

/** True when the term stands in a plain list, so that choosing it again takes it out. */
export function holds(text: string, term: string): boolean {
	return listOf(text)?.some((one) => text.slice(one.start, one.end) === term) ?? false;
}

/** The terms of a selector that is a plain list without a limit. */
function listOf(text: string): Term[] | undefined {
	try {
		const { expression, limit } = parseSelector(text);
		const plain =
			expression.kind === 'term' ||
			(expression.kind === 'or' && expression.parts.every(({ kind }) => kind === 'term'));
		return plain && limit === undefined ? termsOf(expression) : undefined;
	} catch {
		return undefined;
	}
}

/** Where the limit begins, or the end of the text. */
function limitOf(text: string): number {
	try {
		const found = tokens(text).find(
			(token) => token.kind === 'plain' && token.text.toLowerCase() === 'limit'
		);
		return found?.start ?? text.length;
	} catch {
		return text.length;
	}
}
