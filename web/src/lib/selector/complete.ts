import type { Fleet } from './known.ts';
import { KEYS, readable, shownValue, shownWord, type Token } from './lexer.ts';

/** One way to go on with a selector. */
export interface Offer {
	/** The word that would stand there. */
	word: string;
	hint: string;
	/** True when more of the same word follows: a key waits for its value. */
	open?: boolean;
}

const HINTS: Record<string, string> = {
	'site:': 'workers that stand at a site',
	'tag:': 'workers with a tag',
	'country:': 'workers in a country',
	'as:': 'workers in an autonomous system',
	'worker:': 'a worker by its name',
	'queue:': 'members of a queue'
};
const WORDS: Offer[] = [
	{ word: 'all', hint: 'every worker' },
	{ word: '@last', hint: 'the workers of your latest operation' },
	{ word: 'not', hint: 'whoever does not fit' }
];
const OPERATORS: Offer[] = [
	{ word: 'and', hint: 'who fits both' },
	{ word: 'or', hint: 'who fits either' },
	{ word: 'limit', hint: 'at most so many, drawn at random' }
];

/**
 * What could stand at the end of a selector: the place of the word that is being typed, and what it could be. `after`
 * is true when the selector may also end there.
 */
export function offers(text: string, fleet: Fleet): { start: number; offers: Offer[]; after: boolean } {
	const { words, broken } = readable(text);
	const last = words.at(-1);
	const typing = !broken && last?.end === text.length && !isSign(last) ? last : undefined;
	const start = broken?.start ?? typing?.start ?? text.length;
	const before = typing ? words.slice(0, -1) : words;
	const typed = text.slice(start);
	const place = placeOf(before);
	const found = place === 'term' ? termOffers(typed, before, fleet) : place === 'operator' ? OPERATORS : [];
	const fitting =
		place === 'term'
			? found
			: found.filter(({ word }) => word.startsWith(typed.toLowerCase()) && word !== typed);
	return { start, offers: fitting, after: place === 'operator' || place === 'end' };
}

function isSign(token: Token): boolean {
	return token.kind !== 'plain' && token.kind !== 'quoted';
}

function keywordOf(token: Token | undefined): string {
	return token?.kind === 'plain' ? token.text.toLowerCase() : '';
}

/** What may stand behind these words. */
function placeOf(before: Token[]): 'term' | 'operator' | 'number' | 'end' {
	const last = before.at(-1);
	if (!last || last.kind === 'open' || last.kind === 'comma') return 'term';
	if (['and', 'or', 'not'].includes(keywordOf(last))) return 'term';
	if (keywordOf(last) === 'limit') return 'number';
	return keywordOf(before.at(-2)) === 'limit' ? 'end' : 'operator';
}

function termOffers(typed: string, before: Token[], fleet: Fleet): Offer[] {
	const colon = typed.indexOf(':');
	const key = colon < 0 ? '' : typed.slice(0, colon).toLowerCase();
	if (KEYS.includes(key)) return values(key, typed.slice(colon + 1), fleet);
	const lower = typed.replace(/^["']/, '').toLowerCase();
	const chosen = before.flatMap((token) => (token.kind === 'plain' ? [token.text] : []));
	const queues = fleet.queues
		.filter(({ queue }) => queue.includes(lower) && !chosen.includes(queue))
		.map(({ queue, name, online, workers }) => ({
			word: shownWord(queue),
			hint: `${name}, ${online} of ${workers} online`
		}));
	const workers = fleet.workers
		.filter(({ name }) => name.toLowerCase().includes(lower))
		.map(({ name, site, state }) => ({
			word: shownWord(name),
			hint: [site, state].filter(Boolean).join(', ')
		}));
	const keys = Object.entries(HINTS).map(([word, hint]) => ({ word, hint, open: true }));
	const words = [...WORDS, ...keys].filter(({ word }) => word.startsWith(lower));
	// With nothing typed the words that show what can be asked come before a long list of names.
	const all =
		lower === '' ? [...queues.slice(0, 6), ...words, ...workers] : [...queues, ...workers, ...words];
	return unique(all).filter(({ word }) => word !== typed);
}

/** What stands behind a key, with how many workers it finds. */
function values(key: string, typed: string, { queues, workers }: Fleet): Offer[] {
	const lower = typed.replace(/^["']/, '').toLowerCase();
	const counted = new Map<string, number>();
	const count = (value: string | number | null) => {
		if (value !== null && value !== '') counted.set(String(value), (counted.get(String(value)) ?? 0) + 1);
	};
	for (const worker of workers) {
		if (key === 'tag') worker.tags.forEach(count);
		else if (key === 'site') count(worker.site);
		else if (key === 'country') count(worker.country);
		else if (key === 'as') count(worker.asn);
		else if (key === 'worker' || key === 'name') count(worker.name);
	}
	if (key === 'queue') for (const { queue, workers: members } of queues) counted.set(queue, members);
	return [...counted]
		.filter(([value]) => value.toLowerCase().includes(lower) && shownValue(value) !== typed)
		.sort(([one], [other]) => one.localeCompare(other))
		.map(([value, number]) => ({
			word: `${key}:${shownValue(value)}`,
			hint: number === 1 ? '1 worker' : `${number} workers`
		}));
}

function unique(offers: Offer[]): Offer[] {
	return [...new Map(offers.map((offer) => [offer.word, offer])).values()];
}
