import type { PresenceSession } from '../api/types.ts';

/** A time during which something was there, on a line of 1000. */
export interface Segment {
	from: number;
	to: number;
	x: number;
	width: number;
}

/** Sessions between two times, those that overlap joined. */
export function segments(sessions: PresenceSession[], from: number, to: number): Segment[] {
	const times = sessions
		.map((session) => ({
			from: Math.max(from, Date.parse(session.began_at)),
			to: Math.min(to, session.ended_at ? Date.parse(session.ended_at) : to)
		}))
		.filter((time) => time.to >= time.from)
		.sort((a, b) => a.from - b.from);
	const joined: { from: number; to: number }[] = [];
	for (const time of times) {
		const last = joined.at(-1);
		if (last && time.from <= last.to) last.to = Math.max(last.to, time.to);
		else joined.push({ ...time });
	}
	const scale = 1000 / Math.max(1, to - from);
	return joined.map((time) => ({
		...time,
		x: (time.from - from) * scale,
		width: (time.to - time.from) * scale
	}));
}
