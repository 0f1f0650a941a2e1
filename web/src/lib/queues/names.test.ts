import { describe, expect, it } from 'vitest';
import { fullName, nameProblem } from './names.ts';

describe('names of queues', () => {
	it('get their prefix once', () => {
		expect(['Netwark', 'broadcast', ' NETWARK.Paris ', 'netwarkish'].map(fullName)).toEqual([
			'netwark',
			'netwark.broadcast',
			'netwark.Paris',
			'netwark.netwarkish'
		]);
	});

	it('may hold letters, digits and - _ . :', () => {
		for (const name of ['paris', 'a-b_c.d:e', 'netwark.x', '9', 'x'.repeat(200)]) {
			expect(nameProblem(name), name).toBeUndefined();
		}
	});

	it('are refused with the reason', () => {
		expect(nameProblem('  ')).toBe('is needed');
		expect(nameProblem('a b')).toContain('a space');
		expect(nameProblem('caf\u00e9')).toContain('\u00e9');
		expect(nameProblem('a\u0000b')).toContain('cannot hold');
		expect(nameProblem('netwark.')).toContain('behind its prefix');
		expect(nameProblem('x'.repeat(201))).toContain('200');
		expect(nameProblem('ALL')).toContain("'all'");
		expect(nameProblem('netwark.-x')).toContain("'-'");
	});
});
