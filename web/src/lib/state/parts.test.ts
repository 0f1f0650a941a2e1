import { expect, test } from 'vitest';
import { isMissingPart } from './parts.ts';

test.each([
	'Failed to fetch dynamically imported module: http://192.0.2.1/_app/immutable/nodes/7.js',
	'error loading dynamically imported module: http://192.0.2.1/_app/immutable/nodes/7.js',
	'Importing a module script failed.',
	'Unable to preload CSS for /_app/immutable/assets/7.css'
])('%s', (message) => {
	expect(isMissingPart(new TypeError(message))).toBe(true);
});

test('other faults are no missing parts', () => {
	expect(isMissingPart(new TypeError("can't access property of undefined"))).toBe(false);
	expect(isMissingPart('Importing a module script failed.')).toBe(false);
});
