import type { Event } from '../api/types.ts';

/** How many events are fetched at once. */
export const AT_ONCE = 50;

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

/** The newest events joined to those that were read before; when too many came in between, those before go. */
export function refreshed(known: Event[], newest: Event[]): Event[] {
	const oldest = newest.at(-1);
	const meets = known.length === 0 || newest.length < AT_ONCE || (oldest && later(oldest, known[0]!) >= 0);
	return meets ? merged(known, newest) : newest;
}

/** The day of a time in the viewer's zone: `Saturday 21 November 2026`. */
export function dayOf(time: string, zone?: string): string {
	const day = new Intl.DateTimeFormat('en-GB', {
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
