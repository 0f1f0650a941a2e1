import { describe, expect, it } from 'vitest';
import { SelectorMistake } from './lexer.ts';
import { parseSelector, shownSelector } from './parse.ts';
// The server's own reader is held to the same cases.
import cases from '../../../../crates/model/tests/selectors.json';

function refusal(text: string): SelectorMistake {
	try {
		parseSelector(text);
	} catch (thrown) {
		if (thrown instanceof SelectorMistake) return thrown;
		throw thrown;
	}
	throw new Error(`${text} was read`);
}

describe('the grammar of selectors', () => {
	it.each(cases.reads)('reads $text', ({ text, canonical }) => {
		expect(shownSelector(parseSelector(text))).toBe(canonical);
		expect(shownSelector(parseSelector(canonical))).toBe(canonical);
	});

	it.each(cases.refuses)('refuses $text', ({ text, word, character, message }) => {
		const { start, end, message: said } = refusal(text);
		expect(said).toBe(message);
		expect([...text.slice(0, start)].length + 1).toBe(character);
		// A control character is named by its escape.
		if (!word.startsWith('\\u')) expect(text.slice(start, end)).toBe(word);
	});

	it('is bounded', () => {
		const nested = (levels: number) => `${'('.repeat(levels)}a${')'.repeat(levels)}`;
		expect(shownSelector(parseSelector(nested(32)))).toBe('a');
		expect(refusal(nested(33)).message).toContain('nested too deep');
		expect(refusal('not '.repeat(33)).message).toContain('nested too deep');
		expect(refusal(Array(201).fill('a').join(',')).message).toContain('one term too many');
		expect(refusal('é'.repeat(1001)).message).toContain('at most 2000 bytes, got 2002');
	});
});
