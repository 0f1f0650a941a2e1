import { LONGEST as LONGEST_NAME, PREFIX } from '../queues/names.ts';
import { KEYS, SelectorMistake, shownValue, shownWord, tokens, type Token } from './lexer.ts';

/** One property of a worker, and where it stands in the text. */
export interface Term {
	kind: 'word' | 'queue' | 'worker' | 'tag' | 'site' | 'country' | 'as' | 'all' | 'last' | 'operation';
	value: string;
	start: number;
	end: number;
}

export type Expression =
	| { kind: 'term'; term: Term }
	| { kind: 'not'; inner: Expression }
	| { kind: 'and' | 'or'; parts: Expression[] };

/** Who is to run an operation, in the syntax of the server (`crates/model/src/selector`). */
export interface Selector {
	expression: Expression;
	limit?: number;
}

const LONGEST = 2000;
const DEEPEST = 32;
const MOST_TERMS = 200;
const HIGHEST_LIMIT = 10_000;

/** Reads a selector, or says what is wrong with its first faulty word. Throws a {@link SelectorMistake}. */
export function parseSelector(text: string): Selector {
	const bytes = new TextEncoder().encode(text).length;
	if (bytes > LONGEST) throw new SelectorMistake(0, 0, `must have at most ${LONGEST} bytes, got ${bytes}`);
	const words = tokens(text);
	if (words.length === 0) throw new SelectorMistake(0, 0, 'must not be empty; all stands for every worker');
	return new Parser(words).read();
}

/** A selector in its canonical form. */
export function shownSelector({ expression, limit }: Selector): string {
	return shown(expression, 0) + (limit === undefined ? '' : ` limit ${limit}`);
}

/** `least` is how tightly it has to hold together: 0 for `or`, 1 for `and`, 2 for the rest. */
function shown(expression: Expression, least: number): string {
	if (expression.kind === 'term') return shownTerm(expression.term);
	if (expression.kind === 'not') return `not ${shown(expression.inner, 2)}`;
	const own = expression.kind === 'and' ? 1 : 0;
	const text = expression.parts.map((part) => shown(part, own + 1)).join(` ${expression.kind} `);
	return own < least ? `(${text})` : text;
}

function shownTerm({ kind, value }: Term): string {
	switch (kind) {
		case 'word':
			return shownWord(value);
		case 'all':
			return 'all';
		case 'last':
			return '@last';
		case 'operation':
			return `@${value}`;
		default:
			return `${kind}:${shownValue(value)}`;
	}
}

/** Every term, from left to right. */
export function termsOf(expression: Expression): Term[] {
	if (expression.kind === 'term') return [expression.term];
	return expression.kind === 'not' ? termsOf(expression.inner) : expression.parts.flatMap(termsOf);
}

class Parser {
	private at = 0;
	private depth = 0;
	private terms = 0;

	constructor(private readonly words: Token[]) {}

	read(): Selector {
		const expression = this.anyOf();
		const limit = this.limit();
		const rest = this.words[this.at];
		if (rest)
			wrong(rest, limit === undefined ? misplaced(rest) : 'is one word too many: a limit ends the selector');
		return limit === undefined ? { expression } : { expression, limit };
	}

	/** The word before the one that comes next. There is one wherever this is asked. */
	private last(): Token {
		return this.words[this.at - 1] as Token;
	}

	/** True when the next word is this keyword; it is passed over then. */
	private takes(keyword: string): boolean {
		const found = isKeyword(this.words[this.at], keyword);
		if (found) this.at++;
		return found;
	}

	private anyOf(): Expression {
		const parts: Expression[] = [];
		for (;;) {
			const part = this.allOf();
			// Parentheses that change nothing are not kept.
			parts.push(...(part.kind === 'or' ? part.parts : [part]));
			const comma = this.words[this.at]?.kind === 'comma';
			if (comma) this.at++;
			else if (!this.takes('or')) return oneOr('or', parts);
		}
	}

	private allOf(): Expression {
		const parts: Expression[] = [];
		for (;;) {
			const part = this.one();
			parts.push(...(part.kind === 'and' ? part.parts : [part]));
			if (!this.takes('and')) return oneOr('and', parts);
		}
	}

	private one(): Expression {
		const token = this.words[this.at];
		if (!token) return wrong(this.last(), 'needs a term behind it');
		this.at++;
		if (token.kind !== 'open' && !isKeyword(token, 'not')) return { kind: 'term', term: this.term(token) };
		if (++this.depth > DEEPEST) wrong(token, `is nested too deep; at most ${DEEPEST} levels are read`);
		const expression: Expression =
			token.kind === 'open' ? this.enclosed(token) : { kind: 'not', inner: this.one() };
		this.depth--;
		return expression;
	}

	private enclosed(open: Token): Expression {
		if (this.at === this.words.length) wrong(open, "needs a ')' behind it");
		const inner = this.anyOf();
		const token = this.words[this.at];
		if (!token) return wrong(open, "needs a ')' behind it");
		if (isKeyword(token, 'limit')) wrong(token, 'stands at the end only, behind every parenthesis');
		if (token.kind !== 'close') wrong(token, misplaced(token));
		this.at++;
		return inner;
	}

	private limit(): number | undefined {
		if (!this.takes('limit')) return undefined;
		const token = this.words[this.at];
		if (!token) return wrong(this.last(), `needs a number from 1 to ${HIGHEST_LIMIT} behind it`);
		const number = token.kind === 'plain' && /^[0-9]+$/.test(token.text) ? Number(token.text) : 0;
		if (number < 1 || number > HIGHEST_LIMIT) wrong(token, `is no number from 1 to ${HIGHEST_LIMIT}`);
		this.at++;
		return number;
	}

	private term(token: Token): Term {
		if (++this.terms > MOST_TERMS) wrong(token, `is one term too many; at most ${MOST_TERMS} are read`);
		const { start, end } = token;
		return { ...property(token), start, end };
	}
}

type Property = Pick<Term, 'kind' | 'value'>;

function property(token: Token): Property {
	if (token.kind === 'plain') return plain(token, token.text);
	if (token.kind !== 'quoted') return wrong(token, 'needs a term before it');
	if (token.key !== undefined) {
		const keys = KEYS.map((key) => `${key}:`).join(', ');
		return (
			keyed(token, token.key, token.text) ?? wrong(token, `has no key before its colon; the keys are ${keys}`)
		);
	}
	return token.text === '' ? wrong(token, 'is an empty name') : { kind: 'word', value: token.text };
}

function plain(token: Token, text: string): Property {
	const lower = asciiLower(text);
	if (lower === 'all') return { kind: 'all', value: '' };
	if (['and', 'or', 'limit'].includes(lower)) wrong(token, 'needs a term before it');
	if (lower === '@last') return { kind: 'last', value: '' };
	if (lower.startsWith('@')) {
		const id = lower.slice(1);
		if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return { kind: 'operation', value: id };
		wrong(token, 'is neither @last nor @ with the id of an operation');
	}
	if (/^as[0-9]+$/.test(lower)) return system(token, lower);
	const colon = text.indexOf(':');
	const found = colon < 0 ? undefined : keyed(token, text.slice(0, colon), text.slice(colon + 1));
	return found ?? { kind: 'word', value: text };
}

/** The property of a key and its value; `undefined` when it is no key. */
function keyed(token: Token, typed: string, value: string): Property | undefined {
	const key = asciiLower(typed);
	if (!KEYS.includes(key)) return undefined;
	if (value === '') wrong(token, 'needs a value right behind its colon');
	switch (key) {
		case 'queue': {
			const why = queueMistake(value);
			return why ? wrong(token, `cannot be a queue: ${why}`) : { kind: 'queue', value };
		}
		case 'tag':
		case 'site':
			return { kind: key, value };
		case 'country':
			if (!/^[a-z]{2}$/i.test(value)) wrong(token, 'must be a code of two letters, such as country:FR');
			return { kind: 'country', value: value.toUpperCase() };
		case 'as':
			return system(token, asciiLower(value));
		default:
			return { kind: 'worker', value };
	}
}

/** An autonomous system by its number, with or without the letters before it. */
function system(token: Token, text: string): Property {
	const digits = text.startsWith('as') ? text.slice(2) : text;
	const number = /^[0-9]+$/.test(digits) ? Number(digits) : 0;
	if (number < 1 || number > 4_294_967_295) {
		wrong(token, 'must be a number from 1 to 4294967295, such as as:64500');
	}
	return { kind: 'as', value: String(number) };
}

/** What is wrong with the name of a queue. */
function queueMistake(typed: string): string | undefined {
	const name = typed.trim();
	if (name === '') return 'a queue needs a name';
	const odd = /[^a-zA-Z0-9\-_.:]/u.exec(name)?.[0];
	if (odd !== undefined) {
		const sign = odd === "'" ? "\\'" : odd === '\\' ? '\\\\' : odd;
		return `a queue name cannot hold '${sign}'; letters, digits and - _ . : are allowed`;
	}
	const short = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
	if (short.length > LONGEST_NAME)
		return `a queue name has at most ${LONGEST_NAME} characters, without its prefix`;
	return short === '' ? 'a queue needs a name behind its prefix' : undefined;
}

/** Lower case of the letters every keyword is made of. */
function asciiLower(text: string): string {
	return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function isKeyword(token: Token | undefined, keyword: string): boolean {
	return token?.kind === 'plain' && asciiLower(token.text) === keyword;
}

function oneOr(kind: 'and' | 'or', parts: Expression[]): Expression {
	return parts.length === 1 ? (parts[0] as Expression) : { kind, parts };
}

/** What to say of a word behind a complete expression. */
function misplaced(token: Token): string {
	return token.kind === 'close' ? "has no '(' before it" : "needs 'and' or 'or' before it";
}

function wrong(token: Token, message: string): never {
	throw new SelectorMistake(token.start, token.end, message);
}
