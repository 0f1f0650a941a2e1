import { expect, it } from 'vitest';
import type { ToolInfo } from '../api/types.ts';
import { optionWords } from './option-words.ts';

const tool = {
	name: 'made-up',
	schema: {
		properties: {
			count: { type: 'integer', default: 10 },
			source: { type: ['string', 'null'] },
			headers: { type: 'array', items: { type: 'string' }, default: [] }
		}
	}
} as unknown as ToolInfo;

it('tells the options that are not the default', () => {
	const sent = { count: 10, source: null, headers: [] };
	expect(optionWords(sent, tool)).toBe('');
	expect(optionWords({ ...sent, count: 3, headers: ['A: 1', 'B: 2'] }, tool)).toBe(
		'count 3, headers A: 1 B: 2'
	);
});

it('leaves strings as they were sent, and tells all of a tool that is not known', () => {
	expect(optionWords('-c 3 -q', tool)).toBe('-c 3 -q');
	expect(optionWords({ count: 10 }, undefined)).toBe('count 10');
	expect(optionWords(null, tool)).toBe('');
});
