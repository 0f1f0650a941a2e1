import type { NewWorker, Worker, WorkerChanges } from '../api/types.ts';
import { readCoordinates, writeCoordinates } from '../map/coordinates.ts';

/** What can be set of a worker. */
export type Field = 'name' | 'site' | 'location' | 'coordinates' | 'country' | 'asn' | 'tags' | 'queues';

/** What was typed, as text; queues are chosen from a list. */
export interface Draft {
	name: string;
	site: string;
	location: string;
	coordinates: string;
	country: string;
	asn: string;
	tags: string;
	queues: string[];
}

/** Most characters of a name, a site and a location. */
const LONGEST = 100;
/** Most characters of a tag. */
const LONGEST_TAG = 64;

/** What is wrong with which field. */
export type Mistakes = Partial<Record<Field, string>>;

export const fields: { key: Field; label: string; help: string }[] = [
	{ key: 'name', label: 'Name', help: 'Unique, such as paris-1.' },
	{ key: 'site', label: 'Site', help: 'A word to select it by, such as paris.' },
	{ key: 'location', label: 'Location', help: 'For people, such as Paris, TH2, rack 12.' },
	{ key: 'coordinates', label: 'Coordinates', help: 'Degrees north, degrees east: 48.86, 2.35' },
	{ key: 'country', label: 'Country', help: 'Two letters, such as FR.' },
	{ key: 'asn', label: 'AS number', help: 'Of the network it stands in, such as 64500.' },
	{ key: 'tags', label: 'Tags', help: 'Words to select it by, with commas between them.' },
	{ key: 'queues', label: 'Queues', help: 'It takes work from those that are ticked, and from no others.' }
];

export const emptyDraft: Draft = {
	name: '',
	site: '',
	location: '',
	coordinates: '',
	country: '',
	asn: '',
	tags: '',
	queues: []
};

type Values = Pick<Worker, Field>;

/** Values as text, as they are typed. */
export function draftOf(values: { [Name in Field]?: Values[Name] | null }): Draft {
	return {
		name: values.name ?? '',
		site: values.site ?? '',
		location: values.location ?? '',
		coordinates: writeCoordinates(values.coordinates),
		country: values.country ?? '',
		asn: values.asn ? String(values.asn) : '',
		tags: values.tags?.join(', ') ?? '',
		queues: values.queues ?? []
	};
}

/** The value that was typed into a field; `undefined` for nothing. */
type Read = { value: unknown; error?: undefined } | { error: string };

function read(draft: Draft, field: Field): Read {
	switch (field) {
		case 'coordinates': {
			const typed = readCoordinates(draft.coordinates);
			return typed.error === undefined ? { value: typed.coordinates ?? undefined } : typed;
		}
		case 'country': {
			const country = draft.country.trim().toUpperCase();
			if (country === '') return { value: '' };
			return /^[A-Z]{2}$/.test(country) ? { value: country } : { error: 'is two letters, such as FR' };
		}
		case 'asn': {
			const digits = draft.asn.trim().replace(/^as/i, '');
			if (digits === '') return { value: undefined };
			const asn = /^\d{1,10}$/.test(digits) ? Number(digits) : 0;
			return asn >= 1 && asn <= 4_294_967_295
				? { value: asn }
				: { error: 'is a number from 1 to 4294967295' };
		}
		case 'tags': {
			const tags = tagsIn(draft.tags);
			const long = tags.find((tag) => [...tag].length > LONGEST_TAG);
			return long === undefined
				? { value: tags }
				: {
						error: `have at most ${LONGEST_TAG} characters each, '${[...long].slice(0, 20).join('')}…' has more`
					};
		}
		case 'queues':
			return { value: draft.queues };
		case 'name': {
			const name = draft.name.trim();
			return name === '' ? { error: 'is needed' } : bounded(name);
		}
		default:
			return bounded(draft[field].trim());
	}
}

function bounded(text: string): Read {
	const { length } = [...text];
	return length <= LONGEST
		? { value: text }
		: { error: `must be at most ${LONGEST} characters, got ${length}` };
}

/** Tags may hold spaces; commas are between them. */
function tagsIn(text: string): string[] {
	const tags = text.split(',').map((tag) => tag.trim());
	return [...new Set(tags)].filter(Boolean);
}

const isEmpty = (value: unknown) =>
	value === undefined || value === '' || (Array.isArray(value) && value.length === 0);

/** A letter from A to Z is the same in either case, as the server has it. */
const folded = (name: string) => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/**
 * A new worker from what was typed; what was left empty is the worker's to say. Names that are `taken` are told with
 * all other mistakes, before the server is asked.
 */
export function newWorker(
	draft: Draft,
	taken: readonly string[] = []
): { worker: NewWorker; mistakes: Mistakes } {
	const [given, mistakes] = gather(
		draft,
		fields.map(({ key }) => key)
	);
	const holder = taken.find((name) => folded(name) === folded(draft.name.trim()));
	if (holder !== undefined) mistakes.name = `is taken: another worker is named '${holder}'`;
	const filled = Object.entries(given).filter(([, value]) => !isEmpty(value));
	return { worker: Object.fromEntries(filled) as unknown as NewWorker, mistakes };
}

/**
 * What an administrator changes: fields that are set and differ from what was set before, and `null`
 * for those given back to the worker.
 */
export function changesOf(
	before: WorkerChanges,
	draft: Draft,
	set: ReadonlySet<Field>
): { changes: WorkerChanges; mistakes: Mistakes } {
	const [given, mistakes] = gather(draft, [...set]);
	for (const field of ['coordinates', 'asn'] as const) {
		if (set.has(field) && !mistakes[field] && given[field] === undefined) {
			mistakes[field] = 'is empty: type it, or give it back to the worker';
		}
	}
	const changes: Record<string, unknown> = {};
	for (const { key } of fields) {
		const known = before[key] ?? undefined;
		if (!set.has(key)) {
			if (known !== undefined) changes[key] = null;
		} else if (JSON.stringify(given[key]) !== JSON.stringify(known)) {
			changes[key] = given[key];
		}
	}
	return { changes: changes as WorkerChanges, mistakes };
}

function gather(draft: Draft, wanted: Field[]): [Partial<Record<Field, unknown>>, Mistakes] {
	const given: Partial<Record<Field, unknown>> = {};
	const mistakes: Mistakes = {};
	for (const field of wanted) {
		const typed = read(draft, field);
		if (typed.error === undefined) given[field] = typed.value;
		else mistakes[field] = typed.error;
	}
	return [given, mistakes];
}
