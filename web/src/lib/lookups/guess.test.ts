import { describe, expect, it } from 'vitest';
import { looksLikeResource, wordsOf } from './guess.ts';

describe('what can be looked up', () => {
	it.each([
		'192.0.2.1',
		'2001:db8::/32',
		'as64500',
		'example.org',
		'bücher.example.',
		'https://example.org/a?b',
		'001b.4411.3ab7',
		'001B44113AB7',
		'00:00:5e',
		'00-1b-44-11-3a-b7'
	])('%s', (text) => expect(looksLikeResource(text)).toBe(true));

	it.each([
		'',
		'ping',
		'paris',
		'192.0.2.256',
		'12',
		'a b',
		'example.org x',
		'-c',
		'ping 192.0.2.1',
		'1.2.3'
	])('%s is not', (text) => expect(looksLikeResource(text)).toBe(false));
});

describe('names in a text of words', () => {
	const found = (text: string) => wordsOf(text).flatMap(({ value }) => value ?? []);

	it('can be looked up, as addresses can', () => {
		expect(found('10 mail.example.org.')).toEqual(['mail.example.org.']);
		expect(found('ns1.example.org. admin.example.org. 2026010101 7200')).toEqual([
			'ns1.example.org.',
			'admin.example.org.'
		]);
		expect(found('a.example, *.b.example, 192.0.2.1')).toEqual(['a.example', '192.0.2.1']);
		expect(found('bücher.example 2001:db8::1')).toEqual(['bücher.example', '2001:db8::1']);
		expect(found('com. . printer 1.5')).toEqual([]);
	});

	it('are what the text was cut from', () => {
		const text = '0  5 443\tweb.example.,  x';
		expect(
			wordsOf(text)
				.map((piece) => piece.text)
				.join('')
		).toBe(text);
	});
});
