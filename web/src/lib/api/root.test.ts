import { describe, expect, it } from 'vitest';
import { pathBefore, root } from './root.ts';

describe('the path the server is reached under', () => {
	it('is what stands before the files of the UI', () => {
		expect(pathBefore('https://example.org/netwark/_app/immutable/x.js', '/_app/')).toBe('/netwark');
		expect(pathBefore('https://example.org/_app/immutable/x.js', '/_app/')).toBe('');
		expect(pathBefore('http://localhost:5173/src/lib/api/root.ts', '/_app/')).toBe('');
		expect(root).toBe('');
	});

	it('is in no link or navigation forgotten', () => {
		const files = import.meta.glob<string>('/src/**/*.{svelte,ts}', {
			query: '?raw',
			import: 'default',
			eager: true
		});
		const bare =
			/(href|src|action)="\/|href=\{[`'"]\/|(goto|redirect|replaceState|pushState)\((30\d, )?[`'"]\//;
		const forgotten = Object.entries(files)
			.filter(([name]) => !name.endsWith('.test.ts'))
			.flatMap(([name, text]) => text.split('\n').map((line, at) => ({ where: `${name}:${at + 1}`, line })))
			.filter(({ line }) => bare.test(line));
		expect(forgotten).toEqual([]);
		expect(Object.keys(files).length).toBeGreaterThan(50);
	});
});
