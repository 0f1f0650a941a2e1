import { describe, expect, it } from 'vitest';
import { queryOf } from './query.ts';

describe('the query of a form', () => {
	it('leaves out what is empty, and the page', () => {
		expect(
			queryOf([
				['q', ' a b '],
				['severity', ''],
				['page', '3'],
				['kind', 'x&y']
			])
		).toBe('?q=a+b&kind=x%26y');
	});

	it('is nothing when nothing is filled in', () => {
		expect(queryOf([['q', ' ']])).toBe('');
	});
});
