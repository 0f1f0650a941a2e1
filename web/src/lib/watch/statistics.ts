import type { EventStatistics, PresenceStatistics, Severity, SeverityCounts } from '../api/types.ts';

/** Severities as they are stacked, the worst at the bottom. */
export const STACKED: Severity[] = ['alert', 'warning', 'info', 'ok'];
const HEIGHT = 176;

/** A part of a bar: how many events of one severity there were. */
export interface Part {
	severity: Severity;
	number: number;
	y: number;
	height: number;
}

export interface Bar {
	day: string;
	x: number;
	width: number;
	parts: Part[];
}

export function sum(counts: SeverityCounts): number {
	return counts.ok + counts.info + counts.warning + counts.alert;
}

/** What the upper edge of the bars stands for: the most events of a day, at least one. */
export function mostInBars(days: EventStatistics['days']): number {
	return Math.max(1, ...days.map(({ counts }) => sum(counts)));
}

/** The same of the lines: the most events of one severity on a day. */
export function mostInLines(days: EventStatistics['days']): number {
	return Math.max(1, ...days.flatMap(({ counts }) => STACKED.map((severity) => counts[severity])));
}

/** The days that are named below a chart: the first, the middle and the last. */
export function ticks(days: string[]): string[] {
	const places = [0, Math.floor((days.length - 1) / 2), days.length - 1];
	return [...new Set(places)].flatMap((at) => days[at] ?? []);
}

/** A bar for each day, in a box of 1000 by 176; the day with most events fills it. */
export function bars(days: EventStatistics['days']): Bar[] {
	const most = mostInBars(days);
	const step = 1000 / Math.max(1, days.length);
	return days.map(({ day, counts }, at) => {
		let y = HEIGHT;
		const parts = STACKED.filter((severity) => counts[severity] > 0).map((severity) => {
			const height = (counts[severity] / most) * HEIGHT;
			y -= height;
			return { severity, number: counts[severity], y, height };
		});
		return { day, x: at * step + step * 0.12, width: step * 0.76, parts };
	});
}

/** A line of a chart: how many events of one severity there were, day by day. */
export interface Line {
	severity: Severity;
	/** Most on one day. */
	most: number;
	path: string;
}

/** A line for each severity that there was, in the box of the bars and through their middles. */
export function lines(days: EventStatistics['days']): Line[] {
	const most = mostInLines(days);
	const step = 1000 / Math.max(1, days.length);
	return STACKED.map((severity) => {
		const points = days.map(({ counts }, at) => {
			const y = HEIGHT - (counts[severity] / most) * (HEIGHT - 4);
			return `${round((at + 0.5) * step)} ${round(y)}`;
		});
		return {
			severity,
			most: Math.max(0, ...days.map(({ counts }) => counts[severity])),
			path: `M${points.join('L')}`
		};
	}).filter((line) => line.most > 0);
}

function round(number: number): number {
	return Math.round(number * 10) / 10;
}

/** A row of a table with bars. */
export interface Ranked {
	key: string;
	label: string;
	number: number;
	/** Id of the device it is, when it is one. */
	device?: string;
}

/** Numbers of days by week; weeks begin on Monday. */
export function weeks(days: { day: string; number: number }[]): Ranked[] {
	const sums = new Map<string, number>();
	for (const { day, number } of days) {
		const monday = mondayOf(day);
		sums.set(monday, (sums.get(monday) ?? 0) + number);
	}
	return [...sums].map(([monday, number]) => ({ key: monday, label: `Week of ${monday}`, number }));
}

/** Days are counted in UTC, where all have 24 hours. */
function mondayOf(day: string): string {
	const date = new Date(`${day}T00:00:00Z`);
	date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
	return date.toISOString().slice(0, 10);
}

/** A row of a heat map: a number for each hour of a day; `null` where nobody looked. */
export interface HeatRow {
	label: string;
	hours: (number | null)[];
}

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
/** Up to so many days each has a row of its own. */
const MOST_DAYS = 14;

/** The rows of the heat map: days where they are few, days of the week otherwise. */
export function heat({ days, weekdays }: PresenceStatistics, byWeekday: boolean): HeatRow[] {
	return byWeekday
		? weekdays.map(({ weekday, hours }) => ({ label: WEEKDAYS[weekday - 1] ?? '', hours }))
		: days.map(({ day, hours }) => ({ label: day, hours }));
}

/** True when a range is shown by days of the week unless somebody asks for more. */
export function isLong(days: unknown[]): boolean {
	return days.length > MOST_DAYS;
}

/** The most that stands in a cell. */
export function warmest(rows: HeatRow[]): number {
	return Math.max(0, ...rows.flatMap(({ hours }) => hours.map((value) => value ?? 0)));
}
