import { describe, expect, it } from 'vitest';
import { Problem } from '../../api/problem.ts';
import { entries, mistakes } from './entries.ts';

describe('a list of networks', () => {
	it('is read by lines, commas and semicolons', () => {
		expect(entries(' 10.0.0.0/8, 192.0.2.1 ;\n\n# all\n2001:db8::/32 # office\n')).toEqual([
			'10.0.0.0/8',
			'192.0.2.1',
			'2001:db8::/32'
		]);
	});

	it('names what is wrong by what stands there', () => {
		const wrong = [0, 1, 2, 3].map((at) => ({
			location: 'body' as const,
			name: `networks[${at}]`,
			description: 'is wrong'
		}));
		expect(mistakes(new Problem(400, 'x', 'x', wrong), ['a', 'b', 'c', 'd'])).toBe(
			'(a) is wrong; (b) is wrong; (c) is wrong; and 1 more'
		);
		expect(mistakes(new Problem(0, 'No answer', 'Is it running?'), [])).toBe('Is it running?');
	});
});
