import type { EventStatistics, Severity, SeverityCounts } from '../api/types.ts';

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

/** A bar for each day, in a box of 1000 by 176; the day with most events fills it. */
export function bars(days: EventStatistics['days']): Bar[] {
	const most = Math.max(1, ...days.map(({ counts }) => sum(counts)));
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
