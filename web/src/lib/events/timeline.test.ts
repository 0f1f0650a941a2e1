import { describe, expect, it } from 'vitest';
import type { Event } from '../api/types.ts';
import { AT_ONCE, dayOf, merged, type Question, Reader, refreshed, toRenew } from './timeline.ts';

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

describe('a timeline that is looked at', () => {
	const asked = (known: Event[], answers: Event[][]) => {
		const questions: Question[] = [];
		let at = 0;
		const reader = new Reader(
			known,
			(question) => {
				questions.push(question);
				return Promise.resolve(answers.shift() ?? []);
			},
			() => at
		);
		return { reader, questions, after: (milliseconds: number) => (at += milliseconds) };
	};

	it('reads only what came since, however much is loaded', async () => {
		const late = { ...event(703), at: '2026-03-10T11:59:59.5Z' };
		const last = { ...event(1), at: '2026-03-10T11:59:58Z' };
		const known = [...range(700, 2), last];
		const before = { ...event(704), at: '2026-03-09T12:00:00Z' };
		const { reader, questions } = asked(known, [[event(702), event(701), late, before, event(700)]]);
		const shown = await reader.renew(() => known);
		expect(questions).toEqual([{ came_after: 'id-00700', per_page: 1000 }]);
		expect(texts(shown)).toEqual([702, 701, ...texts(range(700, 2)), 703, 1]);
	});

	it('stays the same while nothing comes', async () => {
		const known = range(60, 1);
		const { reader } = asked(known, [range(60, 58)]);
		expect(await reader.renew(() => known)).toBe(known);
	});

	it('has all that happened once all is loaded', async () => {
		const known = range(3, 1);
		const { reader } = asked(known, [[{ ...event(4), at: '2026-03-09T12:00:00Z' }]]);
		expect(texts(await reader.renew(() => known))).toEqual([3, 2, 1, 4]);
		expect(reader.ended).toBe(true);
	});

	it('reads all again when older events may have changed, and once', async () => {
		const known = range(80, 1);
		const seen = known.map((one) => ({ ...one, acknowledged_at: '2026-03-10T13:00:00Z' }));
		const { reader, questions } = asked(known, [seen, []]);
		reader.changed();
		expect(await reader.renew(() => known)).toEqual(seen);
		await reader.renew(() => known);
		expect(questions).toEqual([{ per_page: 130 }, { came_after: 'id-00080', per_page: 1000 }]);
	});

	it('reads all again when nobody looked for long, or more came than is given at once', async () => {
		const known = range(80, 1);
		const { reader, questions, after } = asked(known, [range(80, 1), range(2000, 1001), range(2000, 1871)]);
		after(61_000);
		await reader.renew(() => known);
		expect(texts(await reader.renew(() => known))).toEqual(texts(range(2000, 1871)));
		expect(questions.map(({ per_page }) => per_page)).toEqual([130, 1000, 130]);
	});
});
