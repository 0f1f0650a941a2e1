/** A word of a selector and where it stands. */
export type Token = { start: number; end: number } & (
	| { kind: 'open' | 'close' | 'comma' }
	/** A word as it was typed: a keyword, a term, a number. */
	| { kind: 'plain'; text: string }
	/** What stood in quotes, and the key before it. */
	| { kind: 'quoted'; key: string | undefined; text: string }
);

/** A part of the text that cannot be read, and why. */
export class SelectorMistake extends Error {
	constructor(
		readonly start: number,
		readonly end: number,
		message: string
	) {
		super(message);
	}
}

/** Words that mean something by themselves. */
export const KEYWORDS = ['and', 'or', 'not', 'limit', 'all'];
/** What may stand before a colon. */
export const KEYS = ['queue', 'worker', 'name', 'tag', 'site', 'country', 'as'];

/** Blanks are named one by one, because programming languages differ in what they call one. */
const BLANK = /[ \t\n\r\u00a0]/;
const ENDS_WORD = /[ \t\n\r\u00a0(),]/;
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/;

/** The words of a text that may be unfinished: those before the first that cannot be read, and that one. */
export function readable(text: string): { words: Token[]; broken?: SelectorMistake } {
	try {
		return { words: tokens(text) };
	} catch (thrown) {
		if (!(thrown instanceof SelectorMistake)) throw thrown;
		return { words: tokens(text.slice(0, thrown.start)), broken: thrown };
	}
}

/** Cuts the text into words. Throws a {@link SelectorMistake}. */
export function tokens(text: string): Token[] {
	const odd = CONTROL.exec(text);
	if (odd) throw new SelectorMistake(odd.index, odd.index + 1, 'is a control character; take it out');
	const found: Token[] = [];
	let at = 0;
	while (at < text.length) {
		const c = text.charAt(at);
		const sign = ({ '(': 'open', ')': 'close', ',': 'comma' } as const)[c];
		if (sign) found.push({ kind: sign, start: at, end: at + 1 });
		else if (!BLANK.test(c)) {
			const token = word(text, at);
			found.push(token);
			at = token.end;
			continue;
		}
		at += 1;
	}
	return found;
}

function word(text: string, start: number): Token {
	const colon = text.indexOf(':', start);
	for (let at = start; at < text.length; at++) {
		const c = text.charAt(at);
		const behindKey = at > start && colon === at - 1;
		if ((c === '"' || c === "'") && (at === start || behindKey)) {
			const { value, end } = insideQuotes(text, start, at);
			return {
				kind: 'quoted',
				key: behindKey ? text.slice(start, colon) : undefined,
				text: value,
				start,
				end
			};
		}
		if (ENDS_WORD.test(c)) return { kind: 'plain', text: text.slice(start, at), start, end: at };
	}
	return { kind: 'plain', text: text.slice(start), start, end: text.length };
}

/** What stands between the quote at `open` and the next of its kind. */
function insideQuotes(text: string, start: number, open: number): { value: string; end: number } {
	const quote = text.charAt(open);
	let value = '';
	for (let at = open + 1; at < text.length; at++) {
		const c = text.charAt(at);
		if (c === '\\') value += text.charAt(++at);
		else if (c !== quote) value += c;
		else {
			const end = at + 1;
			const more = text.slice(end).search(ENDS_WORD);
			const stop = more < 0 ? text.length : end + more;
			if (stop === end) return { value, end };
			throw new SelectorMistake(start, stop, 'goes on behind its closing quote');
		}
	}
	throw new SelectorMistake(start, text.length, 'needs a closing quote');
}

/** True when a value needs no quotes behind its key. */
function isPlainValue(value: string): boolean {
	return value !== '' && !/["'\\]/.test(value) && !ENDS_WORD.test(value);
}

/** True when a bare word needs no quotes: it cannot be taken for anything else. */
function isPlainWord(word: string): boolean {
	const lower = word.toLowerCase();
	const colon = lower.indexOf(':');
	return (
		isPlainValue(word) &&
		!/^[@-]/.test(word) &&
		!KEYWORDS.includes(lower) &&
		!(colon >= 0 && KEYS.includes(lower.slice(0, colon))) &&
		!/^as[0-9]+$/.test(lower)
	);
}

/** A value as it stands behind a key, in quotes where it needs them. */
export function shownValue(value: string): string {
	return isPlainValue(value) ? value : quoted(value);
}

/** A bare word, in quotes where it needs them. */
export function shownWord(word: string): string {
	return isPlainWord(word) ? word : quoted(word);
}

function quoted(text: string): string {
	return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
