import { describe, expect, it } from 'vitest';
import type { Queue, Selection } from '../api/types.ts';
import { findsAnybody, selectionText, unheard, unheardText } from './words.ts';

const selection = (fields: Partial<Selection>): Selection => ({
	from: '',
	workers: [],
	direct: [],
	skipped: [],
	limit: null,
	...fields
});
const queue = (name: string, online: number) => ({ queue: name, online, workers: 3 }) as Queue;

describe('who would run it', () => {
	it('is nobody when no worker and no queue is found', () => {
		expect(findsAnybody(selection({}))).toBe(false);
		expect(selectionText(selection({}))).toBe('No worker would run it.');
		expect(findsAnybody(selection({ direct: ['netwark'] }))).toBe(true);
	});

	it('says of a direct queue that nobody listens on it now', () => {
		const queues = [queue('netwark', 2), queue('netwark.paris', 0)];
		const found = unheard(selection({ direct: ['netwark', 'netwark.paris', 'netwark.new'] }), queues);
		expect(found).toEqual(['netwark.paris']);
		expect(unheardText(found)).toContain('Nobody listens on netwark.paris now');
		expect(unheardText([])).toBe('');
	});
});
