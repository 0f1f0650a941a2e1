import { describe, expect, it } from 'vitest';
import { holds, toggled } from './edit.ts';
import { selectionText, skippedText } from './words.ts';

describe('choosing terms', () => {
	it('puts them into a list and takes them out again', () => {
		expect(toggled('', 'paris')).toBe('paris');
		expect(toggled('paris', 'lyon')).toBe('paris, lyon');
		expect(toggled('paris, lyon', 'paris')).toBe('lyon');
		expect(toggled('paris', 'paris')).toBe('');
		expect(holds('paris or site:x', 'site:x')).toBe(true);
		expect(holds('paris and site:x', 'site:x')).toBe(false);
	});

	it('adds to what was typed', () => {
		expect(toggled('paris and not tag:lab', 'lyon')).toBe('paris and not tag:lab, lyon');
		expect(toggled('paris limit 3', 'lyon')).toBe('paris, lyon limit 3');
		expect(toggled('paris and', 'tag:lab')).toBe('paris and tag:lab');
		expect(toggled('site:"New', 'lyon')).toBe('site:"New, lyon');
	});
});

describe('the preview', () => {
	const worker = (name: string) => ({ id: name, name, site: '' });
	const selection = (names: string[], direct: string[] = [], limit: number | null = null) => ({
		from: '',
		workers: names.map(worker),
		direct,
		skipped: [],
		limit
	});

	it('says who would run it', () => {
		expect(selectionText(selection(['a', 'b']))).toBe('Would run on 2 workers: a, b.');
		expect(selectionText(selection(['a'], [], 5))).toBe('Would run on 1 worker: a.');
		expect(selectionText(selection(['a', 'b', 'c'], [], 2))).toBe(
			'Would run on 2 of these 3 workers, drawn at random: a, b, c.'
		);
		expect(selectionText(selection([], ['netwark', 'netwark.eu']))).toBe(
			'Would run on any one worker of netwark, of netwark.eu.'
		);
		expect(selectionText(selection([]))).toBe('No worker would run it.');
		expect(selectionText(selection([...'abcdefghij']))).toBe(
			'Would run on 10 workers: a, b, c, d, e, f, g, h and 2 more.'
		);
	});

	it('says who is left out and why', () => {
		expect(skippedText([])).toBe('');
		expect(
			skippedText([
				{ worker: 'lyon-2', reason: 'offline' },
				{ worker: 'nice', reason: 'enrolled' }
			])
		).toBe('2 skipped: lyon-2 is offline, nice is not seen yet.');
	});
});
