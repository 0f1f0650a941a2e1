import { describe, expect, it } from 'vitest';
import type { PresenceSession } from '../api/types.ts';
import { segments } from './presence.ts';

const session = (began: number, ended: number | null) =>
	({
		began_at: new Date(began).toISOString(),
		ended_at: ended === null ? null : new Date(ended).toISOString()
	}) as PresenceSession;

describe('presence on a line', () => {
	it('joins what overlaps and keeps within the time', () => {
		const found = segments([session(400, null), session(-100, 200), session(100, 300)], 0, 1000);
		expect(found.map(({ from, to }) => [from, to])).toEqual([
			[0, 300],
			[400, 1000]
		]);
		expect(found[1]).toMatchObject({ x: 400, width: 600 });
	});

	it('leaves out what is over', () => {
		expect(segments([session(0, 10)], 100, 200)).toEqual([]);
	});
});
