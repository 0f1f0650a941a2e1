import { beforeEach, describe, expect, it } from 'vitest';
import { dropFilter, savedFilters, saveFilter } from './filters.ts';

describe('filters of devices', () => {
	beforeEach(() => {
		const kept = new Map<string, string>();
		globalThis.localStorage = {
			getItem: (key: string) => kept.get(key) ?? null,
			setItem: (key: string, value: string) => kept.set(key, value)
		} as unknown as Storage;
	});

	it('are kept under their names', () => {
		saveFilter('Strangers', 'access=unknown');
		saveFilter('Down', 'presence=down');
		expect(saveFilter('Strangers', 'access=denied').map(({ name }) => name)).toEqual(['Down', 'Strangers']);
		expect(dropFilter('Down')).toEqual([{ name: 'Strangers', query: 'access=denied' }]);
	});

	it('are none when what is kept is something else', () => {
		localStorage.setItem('netwark.device-filters', '{"x":1}');
		expect(savedFilters()).toEqual([]);
		localStorage.setItem('netwark.device-filters', 'x');
		expect(savedFilters()).toEqual([]);
	});
});
