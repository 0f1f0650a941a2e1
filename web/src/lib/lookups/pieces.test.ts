import { describe, expect, it } from 'vitest';
import { piecesOf } from './pieces.ts';

const found = (text: string) => piecesOf(text).flatMap(({ value }) => value ?? []);

describe('addresses in a text', () => {
	it('are found with what stands around them', () => {
		expect(piecesOf('lost 192.0.2.1, found (2001:db8::1).')).toEqual([
			{ text: 'lost ' },
			{ text: '192.0.2.1', value: '192.0.2.1' },
			{ text: ', found (' },
			{ text: '2001:db8::1', value: '2001:db8::1' },
			{ text: ').' }
		]);
	});

	it.each([
		['2001:db8::/32 is announced by AS64500', ['2001:db8::/32', 'AS64500']],
		['::1 and ::ffff:192.0.2.1', ['::1', '::ffff:192.0.2.1']],
		['fe80:0:0:0:1:2:3:4', ['fe80:0:0:0:1:2:3:4']],
		['00:00:5e:00:53:01 and 00-00-5E-00-53-01', ['00:00:5e:00:53:01', '00-00-5E-00-53-01']],
		['10.0.0.0/8', ['10.0.0.0/8']]
	])('%s', (text, expected) => expect(found(text)).toEqual(expected));

	it.each([
		'at 12:30:45',
		'version 1.2.3.4567',
		'1.2.3.4.5',
		'192.0.2.256',
		'AS99999999999',
		'a::b::c',
		'hash 0193ad3e-7b1c-7c3e-8000-000000000000',
		'BASE64500',
		'::',
		'1:2:3'
	])('%s holds none', (text) => expect(found(text)).toEqual([]));

	it('keep every character', () => {
		const text = 'from 192.0.2.1:80 to [2001:db8::1]:443 – ünicode AS1';
		expect(
			piecesOf(text)
				.map((piece) => piece.text)
				.join('')
		).toBe(text);
	});
});
