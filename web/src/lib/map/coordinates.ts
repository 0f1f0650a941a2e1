import type { Coordinates } from '../api/types.ts';

/** What was typed as a place: coordinates, nothing, or what is wrong with it. */
export type Typed = { coordinates: Coordinates | null; error?: undefined } | { error: string };

const NUMBER = /^[+-]?\d{1,3}(?:\.\d{1,12})?$/;

/** Reads `48.8566, 2.3522` or `48.8566N 2.3522E`: degrees north, then degrees east. */
export function readCoordinates(text: string): Typed {
	const trimmed = text.trim();
	if (trimmed === '') return { coordinates: null };
	const parts = trimmed.split(/\s*[,;]\s*|\s+/).filter(Boolean);
	if (parts.length !== 2)
		return { error: 'are two numbers, degrees north and degrees east, as in 48.86, 2.35' };
	const latitude = degrees(parts[0]!, 'N', 'S');
	const longitude = degrees(parts[1]!, 'E', 'W');
	if (latitude === undefined || longitude === undefined) {
		return { error: 'are two numbers, degrees north and degrees east, as in 48.86, 2.35' };
	}
	if (Math.abs(latitude) > 90) return { error: `begin with degrees north, from -90 to 90, not ${latitude}` };
	if (Math.abs(longitude) > 180)
		return { error: `end with degrees east, from -180 to 180, not ${longitude}` };
	return { coordinates: { latitude, longitude } };
}

function degrees(text: string, plus: string, minus: string): number | undefined {
	const side = text.slice(-1).toUpperCase();
	const signed = side === plus || side === minus;
	const digits = (signed ? text.slice(0, -1) : text).replace(/°$/, '');
	if (!NUMBER.test(digits)) return undefined;
	return side === minus ? -Number(digits) : Number(digits);
}

/** Coordinates as they are typed: `48.8566, 2.3522`. */
export function writeCoordinates(place: Coordinates | null | undefined): string {
	return place ? `${place.latitude}, ${place.longitude}` : '';
}
