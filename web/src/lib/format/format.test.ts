import { describe, expect, it } from 'vitest';
import { bitRate, bytes, duration, ms, percent, plural } from './number.ts';
import { ago, brief, lastDay, timeFormat } from './time.ts';

describe('numbers', () => {
	it('shows round trips with digits that matter', () => {
		expect([0.0123, 9.9994, 12.345, 123.45, 2345.6].map(ms)).toEqual([
			'0.012',
			'9.999',
			'12.35',
			'123.5',
			'2346'
		]);
		expect(ms(null)).toBe('–');
		expect(ms(NaN)).toBe('–');
	});

	it('never rounds a loss away, nor an answer', () => {
		expect([0, 0.04, 2.5, 33.333, 99.95, 100].map(percent)).toEqual([
			'0%',
			'<0.1%',
			'2.5%',
			'33.3%',
			'>99.9%',
			'100%'
		]);
	});

	it('says durations as people do', () => {
		expect([250, 2500, 60_000, 200_000, 3_600_000, 5_400_000].map(duration)).toEqual([
			'250 ms',
			'2.5 s',
			'1 min',
			'3 min 20 s',
			'1 h',
			'1 h 30 min'
		]);
		expect([0, 999, 1000, 1_234_567, 999_960, 5e15].map(bytes)).toEqual([
			'0 B',
			'999 B',
			'1 kB',
			'1.2 MB',
			'1 MB',
			'5 PB'
		]);
		expect([100e6, 2.5e9, 10e9, 54_000].map(bitRate)).toEqual([
			'100 Mbit/s',
			'2.5 Gbit/s',
			'10 Gbit/s',
			'54 kbit/s'
		]);
		expect(plural(1, 'hop')).toBe('1 hop');
		expect(plural(2, 'reply', 'replies')).toBe('2 replies');
	});
});

describe('times', () => {
	const now = Date.parse('2026-03-10T12:00:00Z');

	it('shows the hour today and the day before that', () => {
		expect(brief('2026-03-10T11:59:01Z', now, 'UTC')).toBe('11:59:01');
		expect(brief('2026-03-09T23:30:00Z', now, 'UTC')).toBe('09 Mar 23:30');
		expect(brief('2026-03-09T23:30:00Z', now, 'Europe/Paris')).toBe('00:30:00');
		expect(brief('2025-03-09T23:30:00Z', now, 'UTC')).toBe('09 Mar 2025 23:30');
	});

	it('knows the last day before a time', () => {
		expect(lastDay('2027-02-01T00:00:00Z', 'UTC')).toBe('2027-01-31');
		expect(lastDay('2027-02-01T00:00:00.001Z', 'UTC')).toBe('2027-02-01');
		expect(lastDay('2027-01-31T23:00:00Z', 'Europe/Paris')).toBe('2027-01-31');
		expect(lastDay(null)).toBe('');
	});

	it('says how long ago', () => {
		expect(ago('2026-03-10T11:59:59.5Z', now)).toBe('now');
		expect(ago('2026-03-10T11:59:30Z', now)).toBe('30 s ago');
		expect(ago('2026-03-10T09:00:00Z', now)).toBe('3 h ago');
		expect(ago('2026-03-08T09:00:00Z', now)).toBe('2 days ago');
	});

	it('makes each format once', () => {
		const format = timeFormat('en-GB', { timeZone: 'UTC', year: 'numeric' });
		expect(timeFormat('en-GB', { timeZone: 'UTC', year: 'numeric' })).toBe(format);
		expect(timeFormat('en-GB', { timeZone: 'Asia/Tokyo', year: 'numeric' })).not.toBe(format);
	});
});
