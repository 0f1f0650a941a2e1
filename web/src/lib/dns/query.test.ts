import { expect, test } from 'vitest';
import { addressOf, operationOf, queryOf } from './query.ts';

test('a question stands in the address and becomes an operation', () => {
	const query = queryOf(new URLSearchParams('q=example.org&type=mx&dnssec=true&server='));
	expect(query).toEqual({
		q: 'example.org',
		type: 'MX',
		server: '',
		transport: '',
		dnssec: true,
		trace: false
	});
	expect(addressOf(query)).toBe('?q=example.org&type=MX&dnssec=true');
	expect(addressOf(queryOf(new URLSearchParams()))).toBe('');
	expect(operationOf(query)).toEqual({
		type: 'dns',
		target: 'example.org',
		options: { type: 'MX', dnssec: true }
	});
	expect(operationOf({ q: '192.0.2.1' })).toEqual({ type: 'dns', target: '192.0.2.1' });
});
