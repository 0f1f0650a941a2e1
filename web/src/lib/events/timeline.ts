import type { Event } from '../api/types.ts';
import { timeFormat } from '../format/time.ts';

/** How many events are fetched at once. */
export const AT_ONCE = 50;
/** How many events are given at once at most. */
export const AT_MOST = 1000;
/** After so many milliseconds without a look all is read again, and not only what came since. */
const LONG_AGO = 60_000;

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

/** The id of the event that came last; ids grow with time, whenever the event happened. */
function cameLast(known: Event[]): string | undefined {
	return known.reduce<string | undefined>((last, { id }) => (last && last > id ? last : id), undefined);
}

/** What is asked for to renew a timeline. */
export interface Question {
	came_after?: string;
	per_page: number;
}

/**
 * Renews what a page shows of the timeline. Once it is known, only what came since is read, unless something about older
 * events may have changed, or nobody has looked for long.
 */
export class Reader {
	/** True when the events that were given are all there are. */
	ended: boolean;
	private older = false;
	private readAt: number;

	constructor(
		first: Event[],
		private readonly ask: (question: Question) => Promise<Event[]>,
		private readonly now: () => number = Date.now
	) {
		this.ended = first.length < AT_ONCE;
		this.readAt = now();
	}

	/** Something about older events may have changed, so they are read with the next look. */
	changed() {
		this.older = true;
	}

	/** The known events renewed; they are asked for again when the answer is there, as older ones may have been loaded. */
	async renew(known: () => Event[]): Promise<Event[]> {
		const began = this.now();
		const last = cameLast(known());
		if (last && !this.older && began - this.readAt < LONG_AGO) {
			const news = await this.ask({ came_after: last, per_page: AT_MOST });
			if (news.length < AT_MOST) {
				this.readAt = began;
				return this.withNews(known(), news);
			}
		}
		const asked = toRenew(known());
		const newest = await this.ask({ per_page: asked });
		const shown = known();
		const renewed = refreshed(shown, newest, asked);
		this.ended = newest.length < asked || (this.ended && renewed.at(-1)?.id === shown.at(-1)?.id);
		this.older = false;
		this.readAt = began;
		return renewed;
	}

	/** What happened before all that is loaded is loaded with the older ones, when there are more. */
	private withNews(known: Event[], news: Event[]): Event[] {
		const last = known.at(-1);
		const fitting = news.filter((event) => this.ended || !last || later(event, last) <= 0);
		const same = new Map(known.map((event) => [event.id, event.acknowledged_at]));
		const isNew = fitting.some(({ id, acknowledged_at }) => same.get(id) !== acknowledged_at);
		return isNew ? merged(known, fitting) : known;
	}
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
