import { describe, expect, it } from 'vitest';
import { readCoordinates, writeCoordinates } from './coordinates.ts';

const read = (text: string) => {
	const typed = readCoordinates(text);
	return typed.error === undefined ? typed.coordinates : typed.error;
};

describe('typed coordinates', () => {
	it('are read in the ways people write them', () => {
		const paris = { latitude: 48.8566, longitude: 2.3522 };
		for (const text of [
			'48.8566, 2.3522',
			'48.8566 2.3522',
			' 48.8566;2.3522 ',
			'48.8566N 2.3522E',
			'48.8566°N, 2.3522°e'
		]) {
			expect(read(text), text).toEqual(paris);
		}
		expect(read('33.9S 18.4E')).toEqual({ latitude: -33.9, longitude: 18.4 });
		expect(read('-90, 180')).toEqual({ latitude: -90, longitude: 180 });
		expect(read('  ')).toBeNull();
	});

	it('are refused when they are none', () => {
		expect(read('91, 0')).toContain('-90 to 90');
		expect(read('0, 180.1')).toContain('-180 to 180');
		for (const text of ['paris', '48.8', '1,2,3', '1e3, 4', '2.35E 48.85N', 'NaN, 0', '--1, 2']) {
			expect(read(text), text).toContain('two numbers');
		}
	});

	it('are written as they are read', () => {
		const place = { latitude: -33.92, longitude: 18.42 };
		expect(read(writeCoordinates(place))).toEqual(place);
		expect(writeCoordinates(null)).toBe('');
	});
});
