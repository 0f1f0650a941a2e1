import { describe, expect, it } from 'vitest';
import type { Event } from '../api/types.ts';
import { AT_ONCE, dayOf, merged, refreshed, toRenew } from './timeline.ts';

const event = (number: number): Event => ({
	id: `id-${String(number).padStart(5, '0')}`,
	at: '2026-03-10T12:00:00Z',
	severity: 'info',
	kind: 'worker_online',
	worker_id: null,
	worker: null,
	text: String(number),
	network_id: null,
	network: null,
	device_id: null,
	device: null,
	data: null,
	acknowledged_at: null,
	acknowledged_by: null
});
const range = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, i) => event(from - i));
const older = (many: number) => range(many, 1).map((one) => ({ ...one, at: '2026-03-09T12:00:00Z' }));
const texts = (events: Event[]) => events.map(({ text }) => Number(text));

describe('the timeline', () => {
	it('has every event once, newest first', () => {
		expect(texts(merged(range(5, 3), range(4, 1)))).toEqual([5, 4, 3, 2, 1]);
	});

	it('puts what was told late where it happened', () => {
		const late = { ...event(9), at: '2026-03-10T11:59:59.5Z' };
		expect(texts(merged(range(5, 3), [event(4), late]))).toEqual([5, 4, 3, 9]);
	});

	it('keeps what was read before while nothing is missing in between', () => {
		expect(texts(refreshed(range(60, 1), range(70, 71 - AT_ONCE), AT_ONCE))).toEqual(texts(range(70, 1)));
	});

	it('shows what was told late in every part that is loaded', () => {
		const last = { ...event(200), at: '2026-03-10T11:59:58Z' };
		const late = { ...event(999), at: '2026-03-10T11:59:59.5Z' };
		const known = [...range(400, 201), last];
		const asked = toRenew(known);
		expect(asked).toBe(201 + AT_ONCE);
		const newest = [...range(402, 201), late, last, ...older(asked - 204)];
		expect(newest).toHaveLength(asked);
		const shown = texts(refreshed(known, newest, asked));
		expect(shown).toEqual([...texts(range(402, 201)), 999, 200]);
	});

	it('does not grow by what is older than what is loaded', () => {
		const known = range(100, 51);
		expect(refreshed(known, range(100, 1), 100)).toEqual(known);
	});

	it('has everything when there is less than was asked for', () => {
		expect(texts(refreshed(range(5, 3), range(6, 1), 53))).toEqual([6, 5, 4, 3, 2, 1]);
		expect(refreshed([], [], AT_ONCE)).toEqual([]);
	});

	it('asks for no more than is given at once', () => {
		expect(toRenew([])).toBe(AT_ONCE);
		expect(toRenew(range(5000, 1))).toBe(1000);
	});

	it('begins anew when more came than is read at once', () => {
		const newest = range(500, 501 - AT_ONCE);
		expect(refreshed(range(60, 1), newest, AT_ONCE)).toEqual(newest);
	});

	it('knows the day where the viewer is', () => {
		expect(dayOf('2026-03-09T23:30:00Z', 'UTC')).toBe('Monday 9 March 2026');
		expect(dayOf('2026-03-09T23:30:00Z', 'Asia/Tokyo')).toBe('Tuesday 10 March 2026');
	});
});
