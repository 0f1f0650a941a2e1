import { describe, expect, it } from 'vitest';
import { Problem } from './problem.ts';

const wrong = (name: string, description: string) => ({ location: 'body' as const, name, description });

describe('what is wrong', () => {
	const problem = new Problem(400, 'Not valid', 'two fields', [
		wrong('tags[2]', 'must not be empty'),
		wrong('coordinates.latitude', 'must be from -90 to 90'),
		wrong('public_key', 'is none')
	]);

	it('is found at its field, down to the part of it', () => {
		expect(problem.within('tags')).toBe('(number 3) must not be empty');
		expect(problem.within('coordinates')).toBe('(latitude) must be from -90 to 90');
		expect(problem.within('tag')).toBeUndefined();
	});

	it('is said without the names of fields where there is one box', () => {
		expect(new Problem(400, 'Not valid', 'q: is missing', [wrong('q', 'is missing')]).plain).toBe(
			'is missing'
		);
		expect(new Problem(404, 'Not found', 'there is no such thing').plain).toBe('there is no such thing');
	});

	it('is said apart where no field of the page has it', () => {
		expect(problem.besides(['tags', 'coordinates'])).toBe('public_key is none');
		expect(problem.besides(['tags', 'coordinates', 'public_key'])).toBeUndefined();
		expect(new Problem(409, 'Conflict', 'another worker is named a').besides(['name'])).toBe(
			'another worker is named a'
		);
	});
});
