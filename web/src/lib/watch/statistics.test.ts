import { describe, expect, it } from 'vitest';
import { bars, heat, lines, mostInBars, mostInLines, ticks, warmest, weeks } from './statistics.ts';

describe('bars of days', () => {
	it('stack the severities, and the fullest day fills the box', () => {
		const days = [
			{ day: '2026-11-25', counts: { ok: 0, info: 2, warning: 1, alert: 1 } },
			{ day: '2026-11-26', counts: { ok: 0, info: 0, warning: 2, alert: 0 } }
		];
		const [first, second] = bars(days);
		expect(first!.parts.map(({ severity, height }) => [severity, height])).toEqual([
			['alert', 44],
			['warning', 44],
			['info', 88]
		]);
		expect(first!.parts.at(-1)!.y).toBe(0);
		expect(second!.parts[0]).toMatchObject({ y: 88, height: 88 });
		expect(second!.x).toBeGreaterThan(500);
	});

	it('draws nothing where nothing happened', () => {
		expect(bars([{ day: '2026-11-25', counts: { ok: 0, info: 0, warning: 0, alert: 0 } }])[0]!.parts).toEqual(
			[]
		);
	});
});

describe('axes of days', () => {
	it('say what the upper edge stands for', () => {
		const days = [
			{ day: '2026-11-24', counts: { ok: 0, info: 3, warning: 2, alert: 0 } },
			{ day: '2026-11-25', counts: { ok: 1, info: 0, warning: 0, alert: 0 } }
		];
		expect([mostInBars(days), mostInLines(days)]).toEqual([5, 3]);
		expect([mostInBars([]), mostInLines([])]).toEqual([1, 1]);
	});

	it('name the first day, the middle and the last', () => {
		expect(ticks(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toEqual(['a', 'd', 'g']);
		expect(ticks(['a', 'b'])).toEqual(['a', 'b']);
		expect(ticks(['a'])).toEqual(['a']);
		expect(ticks([])).toEqual([]);
	});
});

describe('lines of days', () => {
	it('there is one for each severity that there was', () => {
		const days = [
			{ day: '2026-11-25', counts: { ok: 0, info: 4, warning: 0, alert: 1 } },
			{ day: '2026-11-26', counts: { ok: 0, info: 0, warning: 0, alert: 0 } }
		];
		expect(lines(days)).toEqual([
			{ severity: 'alert', most: 1, path: 'M250 133L750 176' },
			{ severity: 'info', most: 4, path: 'M250 4L750 176' }
		]);
	});
});

describe('newcomers by week', () => {
	it('begins weeks on Monday, also over the turn of a year', () => {
		const days = ['2026-12-27', '2026-12-28', '2027-01-03', '2027-01-04'];
		expect(
			weeks(days.map((day, at) => ({ day, number: at + 1 }))).map(({ key, number }) => [key, number])
		).toEqual([
			['2026-12-21', 1],
			['2026-12-28', 5],
			['2027-01-04', 4]
		]);
	});
});

describe('the heat map', () => {
	it('has a row for each day, or for each day of the week', () => {
		const hours = Array.from({ length: 24 }, (_, hour) => (hour < 8 ? null : hour));
		const presence = {
			from: '2026-11-26',
			to: '2026-11-26',
			timezone: 'UTC',
			most: 23,
			days: [{ day: '2026-11-26', hours }],
			weekdays: [{ weekday: 4, hours }]
		};
		expect(heat(presence, false).map(({ label }) => label)).toEqual(['2026-11-26']);
		expect(heat(presence, true).map(({ label }) => label)).toEqual(['Thursday']);
		expect(warmest(heat(presence, false))).toBe(23);
		expect(warmest([])).toBe(0);
	});
});
