import { describe, expect, it } from 'vitest';
import { looksLikeResource } from './guess.ts';

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
