import { describe, expect, it } from 'vitest';
import { changesOf, draftOf, emptyDraft, type Field, newWorker } from './draft.ts';

describe('a new worker', () => {
	it('has only what was typed', () => {
		const draft = {
			...emptyDraft,
			name: ' paris-1 ',
			tags: 'edge, in the lab ,,edge',
			asn: 'AS64500',
			country: 'fr'
		};
		expect(newWorker(draft)).toEqual({
			worker: { name: 'paris-1', tags: ['edge', 'in the lab'], asn: 64500, country: 'FR' },
			mistakes: {}
		});
		const placed = newWorker({ ...emptyDraft, name: 'a', coordinates: '0, 0', queues: ['netwark.paris'] });
		expect(placed.worker).toEqual({
			name: 'a',
			coordinates: { latitude: 0, longitude: 0 },
			queues: ['netwark.paris']
		});
	});

	it('is not made of nonsense', () => {
		const draft = { ...emptyDraft, coordinates: 'here', country: 'France', asn: '4294967296' };
		const { mistakes } = newWorker(draft);
		expect(Object.keys(mistakes).sort()).toEqual(['asn', 'coordinates', 'country', 'name']);
	});

	it('is told everything that is wrong at once, a name that is taken included', () => {
		const draft = {
			...emptyDraft,
			name: 'PARIS',
			coordinates: '91, 0',
			site: 'x'.repeat(101),
			tags: `ok, ${'y'.repeat(65)}`
		};
		const { mistakes } = newWorker(draft, ['rome', 'paris']);
		expect(Object.keys(mistakes).sort()).toEqual(['coordinates', 'name', 'site', 'tags']);
		expect(mistakes.name).toContain("'paris'");
		expect(newWorker({ ...emptyDraft, name: 'lyon' }, ['paris']).mistakes).toEqual({});
	});
});

describe('changes of a worker', () => {
	const set = (...fields: Field[]) => new Set(fields);

	it('say only what is different', () => {
		const before = { site: 'paris', tags: ['edge'] };
		const draft = { ...draftOf(before), tags: 'edge, lab', location: 'TH2' };
		expect(changesOf(before, draft, set('site', 'tags', 'location')).changes).toEqual({
			tags: ['edge', 'lab'],
			location: 'TH2'
		});
		expect(changesOf(before, draftOf(before), set('site', 'tags')).changes).toEqual({});
	});

	it('give back what is no longer set, and keep what is set to nothing', () => {
		const before = { site: 'paris', tags: ['edge'], asn: 64500 };
		const draft = { ...draftOf(before), tags: '' };
		expect(changesOf(before, draft, set('tags'))).toEqual({
			changes: { site: null, tags: [], asn: null },
			mistakes: {}
		});
	});

	it('refuse fields that are set and cannot be empty', () => {
		const { mistakes } = changesOf({}, emptyDraft, set('coordinates', 'asn', 'name', 'site'));
		expect(Object.keys(mistakes).sort()).toEqual(['asn', 'coordinates', 'name']);
	});
});
