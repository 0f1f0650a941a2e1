import type { Event } from '../api/types.ts';
import { timeFormat } from '../format/time.ts';

/** How many events are fetched at once. */
export const AT_ONCE = 50;
/** How many events are given at once at most. */
const AT_MOST = 1000;

/** Below zero when the one happened after the other; of two at one time the one that came later is the later one. */
function later(one: Event, other: Event): number {
	const apart = Date.parse(other.at) - Date.parse(one.at);
	return apart || (one.id < other.id ? 1 : one.id > other.id ? -1 : 0);
}

/** Events of both lists, each once, what happened last first. */
export function merged(known: Event[], news: Event[]): Event[] {
	const all = new Map([...known, ...news].map((event) => [event.id, event]));
	return [...all.values()].sort(later);
}

/** How many of the newest are read to renew those that are known: as many, and room for what is new. */
export function toRenew(known: Event[]): number {
	return Math.min(known.length + AT_ONCE, AT_MOST);
}

/**
 * The known events renewed by the newest, of which so many were asked for. What was told late gets its place between
 * them; when too many came in between, those that were known go.
 */
export function refreshed(known: Event[], newest: Event[], asked: number): Event[] {
	const [first, last, oldest] = [known[0], known.at(-1), newest.at(-1)];
	// What is there is here.
	if (newest.length < asked) return newest;
	if (!first || !last || !oldest || later(oldest, first) < 0) return newest;
	return merged(
		known,
		newest.filter((event) => later(event, last) <= 0)
	);
}

/** The day of a time in the viewer's zone: `Saturday 21 November 2026`. */
export function dayOf(time: string, zone?: string): string {
	const day = timeFormat('en-GB', {
		timeZone: zone,
		weekday: 'long',
		day: 'numeric',
		month: 'long',
		year: 'numeric'
	}).format(new Date(time));
	// Some browsers put a comma behind the day of the week, some do not.
	return day.replace(',', '');
}

/** Events in runs of the same day, in the order they come. */
export function byDay(events: Event[]): { day: string; events: Event[] }[] {
	const days: { day: string; events: Event[] }[] = [];
	for (const event of events) {
		const day = dayOf(event.at);
		const last = days.at(-1);
		if (last?.day === day) last.events.push(event);
		else days.push({ day, events: [event] });
	}
	return days;
}
