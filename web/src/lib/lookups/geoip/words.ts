import type { Finding, GeoAnswer, GeoCountry, GeoPlace, GeoSource } from '../../api/types.ts';

const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

/** The name of a country, also of one that a file gives by its code alone. */
export function countryName(country: GeoCountry | null): string {
	if (!country) return '';
	return country.name ?? named(country.code) ?? country.code ?? '';
}

function named(code: string | null): string | undefined {
	return code && /^[A-Z]{2}$/.test(code) ? regions.of(code) : undefined;
}

/** City, region and country, as far as they are known. */
export function placeWords(place: GeoPlace): string {
	const region = place.regions.find((one) => one !== place.city) ?? '';
	const country = countryName(place.country) || countryName(place.continent);
	return [place.city, region, country].filter(Boolean).join(', ');
}

/** Why something is not shown. */
export function missing(what: string, state: Finding): string {
	switch (state) {
		case 'no_file':
			return `This server has no file of ${what}.`;
		case 'unreadable':
			return `The file of ${what} is damaged at this address.`;
		default:
			return `No file of ${what} lists this address.`;
	}
}

/** The files that answers came from, each once. */
export function sourcesOf(answers: GeoAnswer[]): GeoSource[] {
	const all = answers.flatMap((answer) => answer.sources);
	return all.filter((one, at) => all.findIndex(({ name }) => name === one.name) === at);
}

/** A file that is older than this is said to be old, in days: addresses move, and the usual files come monthly. */
const OLD = 90;

/** True when the data of a file is so old that places in it are likely to be wrong. */
export function isOld(built: string, now: number): boolean {
	return now - Date.parse(built) > OLD * 24 * 60 * 60 * 1000;
}
