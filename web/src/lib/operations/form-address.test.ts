import { expect, test } from 'vitest';
import { formOf, optionsIn } from './form-address.ts';

test('an operation travels to the form and back', () => {
	const address = formOf({ type: 'dns', target: 'bücher.example', options: { type: 'MX', dnssec: true } });
	const params = new URL(address, 'http://localhost').searchParams;
	expect([params.get('type'), params.get('target')]).toEqual(['dns', 'bücher.example']);
	expect(optionsIn(params)).toEqual({ type: 'MX', dnssec: true });
	expect(formOf({ type: 'ping', target: 'a' })).toBe('/operations/new?type=ping&target=a');
});

test('what is no options is left out', () => {
	for (const text of ['', '{', '[1]', '7', 'null', '"x"']) {
		expect(optionsIn(new URLSearchParams({ options: text }))).toEqual({});
	}
	expect(optionsIn(new URLSearchParams())).toEqual({});
});
