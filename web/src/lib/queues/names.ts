import { KEYWORDS } from '../selector/lexer.ts';

/** What the name of every queue but the first begins with. */
export const PREFIX = 'netwark.';
/** Longest name, without its prefix. */
export const LONGEST = 200;

/** What is wrong with a name for a queue, or nothing. The server has the last word. */
export function nameProblem(name: string): string | undefined {
	const wanted = name.trim();
	if (wanted === '') return 'is needed';
	const odd = [...wanted].find((character) => !/[a-zA-Z0-9\-_.:]/.test(character));
	if (odd) {
		const shown = odd === ' ' ? 'a space' : JSON.stringify(odd);
		return `cannot hold ${shown}; letters, digits and - _ . : are allowed`;
	}
	const full = fullName(wanted);
	const short = full.slice(PREFIX.length);
	if (KEYWORDS.includes(short.toLowerCase()))
		return `cannot be '${short.toLowerCase()}'; the word has a meaning of its own in selectors`;
	if (short.startsWith('-')) return "cannot begin with '-'; a command would take it for an option";
	if (short.length > LONGEST) return `has at most ${LONGEST} characters`;
	if (full === PREFIX) return 'needs something behind its prefix';
	return undefined;
}

/** The name as the server keeps it: the prefix is added when left out. */
export function fullName(name: string): string {
	const wanted = name.trim();
	if (wanted.toLowerCase() === 'netwark') return 'netwark';
	return PREFIX + (wanted.toLowerCase().startsWith(PREFIX) ? wanted.slice(PREFIX.length) : wanted);
}
