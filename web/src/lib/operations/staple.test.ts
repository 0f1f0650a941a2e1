import { expect, test } from 'vitest';
import { stapleWords } from './staple.ts';

const staple = {
	status: 'good',
	trusted: true,
	problem: null,
	this_update: null,
	next_update: null,
	revoked_at: null
};

test('what a stapled answer is worth', () => {
	expect(stapleWords(null)).toBe('none');
	expect(stapleWords(staple)).toBe('good, signed by the authority');
	expect(stapleWords({ ...staple, trusted: false, problem: 'its signature is wrong' })).toBe(
		'good, not to be trusted: its signature is wrong'
	);
	expect(stapleWords({ ...staple, trusted: false, status: 'cannot be read' })).toBe('cannot be read');
});
