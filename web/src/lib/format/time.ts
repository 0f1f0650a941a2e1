import { plural } from './number.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const kept = new Map<string, Intl.DateTimeFormat>();

/**
 * A format of times, made once: to make one takes longer than to format a hundred times, and a list is drawn anew again
 * and again.
 */
export function timeFormat(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
	const key = JSON.stringify([locale, options]);
	const known = kept.get(key) ?? new Intl.DateTimeFormat(locale, options);
	kept.set(key, known);
	return known;
}

/** A time in the viewer's zone, to the second. */
export function exact(time: string, zone?: string): string {
	return timeFormat('en-GB', {
		timeZone: zone,
		year: 'numeric',
		month: 'short',
		day: '2-digit',
		hour: '2-digit',
		minute: '2-digit',
		second: '2-digit',
		timeZoneName: 'short'
	}).format(new Date(time));
}

/** The last day before a time in the viewer's zone, as `2026-11-21`; empty without one. */
export function lastDay(until: string | null | undefined, zone?: string): string {
	if (!until) return '';
	return new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(Date.parse(until) - 1);
}

/** A time as a list shows it: the hour today, else the day with it. */
export function brief(time: string, now: number, zone?: string): string {
	const day = (at: Date) => timeFormat('en-CA', { timeZone: zone }).format(at);
	const then = new Date(time);
	const clock = timeFormat('en-GB', {
		timeZone: zone,
		hour: '2-digit',
		minute: '2-digit',
		second: '2-digit'
	}).format(then);
	if (day(then) === day(new Date(now))) return clock;
	const sameYear = day(then).slice(0, 4) === day(new Date(now)).slice(0, 4);
	const date = timeFormat('en-GB', {
		timeZone: zone,
		day: '2-digit',
		month: 'short',
		year: sameYear ? undefined : 'numeric'
	}).format(then);
	return `${date} ${clock.slice(0, 5)}`;
}

/** How long ago a time was: `now`, `12 s ago`, `3 min ago`, `2 days ago`. */
export function ago(time: string, now: number): string {
	const since = now - Date.parse(time);
	if (since < 2 * SECOND) return 'now';
	if (since < MINUTE) return `${Math.floor(since / SECOND)} s ago`;
	if (since < HOUR) return `${Math.floor(since / MINUTE)} min ago`;
	if (since < DAY) return `${Math.floor(since / HOUR)} h ago`;
	return `${plural(Math.floor(since / DAY), 'day')} ago`;
}
