import type { PingReply } from '../api/types.ts';

/** Where things stand in a chart of round trips, in pixels. */
export interface RttChart {
	/** The line through the replies, broken where one is missing. */
	line: string;
	/** The span between shortest and longest of each pixel column, when there are more replies than pixels. */
	band: string;
	dots: { x: number; y: number }[];
	/** Requests that have no place on the line. */
	marks: { x: number; y: number; kind: 'lost' | 'late' | 'error' | 'unsent'; seq: number }[];
	yTicks: { y: number; label: string }[];
	xTicks: { x: number; label: string }[];
	/** Where each reply stands, by its index. */
	xOf: (index: number) => number;
	yOf: (rtt: number) => number;
	/** The reply that is nearest to a place; -1 when there is none. */
	nearest: (x: number) => number;
}

/** Room around the plot for ticks, and below it for the marks of what was lost. */
export const FRAME = { left: 46, right: 10, top: 8, bottom: 20, marks: 16 };
/** More replies than this are drawn without a dot each. */
const MOST_DOTS = 150;

/** The shortest and the longest round trip in milliseconds. */
export type RttRange = readonly [least: number, most: number];

/** The range of all these replies; undefined when none of them has a round trip. */
export function rttRange(replies: Iterable<PingReply>): RttRange | undefined {
	let [least, most] = [Infinity, -Infinity];
	for (const reply of replies) {
		if (!('rtt' in reply)) continue;
		least = Math.min(least, reply.rtt);
		most = Math.max(most, reply.rtt);
	}
	return most >= least ? [least, most] : undefined;
}

/**
 * Lays out a chart. `spanMs` is how long the measurement will take, so that a running one does not stretch; `range`
 * is what the scale covers, so that charts beside each other can be compared: its own replies when left out.
 */
export function chartOf(
	replies: PingReply[],
	width: number,
	height: number,
	spanMs = 0,
	range = rttRange(replies)
): RttChart {
	const first = replies[0]?.at_ms ?? 0;
	const last = Math.max(replies.at(-1)?.at_ms ?? 0, first + spanMs, first + 1);
	const right = Math.max(width - FRAME.right, FRAME.left + 1);
	const bottom = height - FRAME.bottom - FRAME.marks;
	const x = (at: number) => FRAME.left + ((at - first) / (last - first)) * (right - FRAME.left);
	const rtts = replies.flatMap((reply) => ('rtt' in reply ? [reply.rtt] : []));
	const scale = scaleOf(range ?? [0, 1]);
	const y = (rtt: number) => bottom - ((rtt - scale.low) / (scale.high - scale.low)) * (bottom - FRAME.top);
	const dense = rtts.length > right - FRAME.left;
	return {
		line: dense ? '' : lineOf(replies, x, y),
		band: dense ? bandOf(replies, x, y) : '',
		dots:
			rtts.length > MOST_DOTS ? [] : answered(replies).map(({ at_ms, rtt }) => ({ x: x(at_ms), y: y(rtt) })),
		marks: marksOf(replies, x, bottom + FRAME.marks / 2, y),
		yTicks: scale.ticks.map((value) => ({ y: y(value), label: trimmed(value, scale.step) })),
		xTicks: timeTicks(last - first, right - FRAME.left).map((ms) => ({
			x: x(first + ms),
			label: seconds(ms)
		})),
		xOf: (index) => x(replies[index]?.at_ms ?? first),
		yOf: y,
		nearest: (place) =>
			nearest(replies, first + ((place - FRAME.left) / (right - FRAME.left)) * (last - first))
	};
}

type Answered = PingReply & { fate: 'reply' };

function answered(replies: PingReply[]): Answered[] {
	return replies.filter((reply): reply is Answered => reply.fate === 'reply');
}

function lineOf(replies: PingReply[], x: (at: number) => number, y: (rtt: number) => number): string {
	let path = '';
	let drawing = false;
	for (const reply of replies) {
		if (reply.fate === 'reply') {
			path += `${drawing ? 'L' : 'M'}${x(reply.at_ms).toFixed(1)},${y(reply.rtt).toFixed(1)}`;
			drawing = true;
		} else if (reply.fate !== 'waiting') drawing = false;
	}
	return path;
}

function bandOf(replies: PingReply[], x: (at: number) => number, y: (rtt: number) => number): string {
	const columns = new Map<number, [least: number, most: number]>();
	for (const { at_ms, rtt } of answered(replies)) {
		const column = Math.round(x(at_ms));
		const [least, most] = columns.get(column) ?? [rtt, rtt];
		columns.set(column, [Math.min(least, rtt), Math.max(most, rtt)]);
	}
	// A column in which all are alike still needs a pixel.
	return [...columns]
		.map(
			([at, [least, most]]) => `M${at},${y(least).toFixed(1)}V${Math.min(y(most), y(least) - 1).toFixed(1)}`
		)
		.join('');
}

function marksOf(replies: PingReply[], x: (at: number) => number, low: number, y: (rtt: number) => number) {
	return replies.flatMap((reply) => {
		if (reply.fate === 'reply' || reply.fate === 'waiting') return [];
		const at = { x: x(reply.at_ms), kind: reply.fate, seq: reply.seq };
		return [{ ...at, y: reply.fate === 'late' ? y(reply.rtt) : low }];
	});
}

/** A scale with round ticks; from zero, unless that would press the whole line against the top. */
function scaleOf([least, most]: RttRange) {
	const low = least < most * 0.6 ? 0 : least - Math.max((most - least) * 0.3, most * 0.02);
	const step = roundStep((most - low) / 3);
	const bottom = Math.floor(low / step) * step;
	const high = Math.max(Math.ceil((most + step * 0.1) / step) * step, bottom + step);
	const ticks: number[] = [];
	for (let value = bottom; value <= high + step / 2; value += step) ticks.push(value);
	return { low: bottom, high, step, ticks };
}

function roundStep(rough: number): number {
	const power = 10 ** Math.floor(Math.log10(rough || 1));
	const unit = [1, 2, 5, 10].find((one) => one * power >= rough) ?? 10;
	return unit * power;
}

function timeTicks(span: number, width: number): number[] {
	const step = roundStep(span / Math.max(2, Math.min(6, Math.floor(width / 90))));
	const ticks: number[] = [];
	for (let at = 0; at <= span; at += step) ticks.push(at);
	return ticks;
}

function trimmed(value: number, step: number): string {
	return value.toFixed(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
}

function seconds(ms: number): string {
	if (ms === 0) return '0';
	return ms < 1000 ? `${Number(ms.toPrecision(2))} ms` : `${Number((ms / 1000).toPrecision(3))} s`;
}

function nearest(replies: PingReply[], at: number): number {
	let best = -1;
	let distance = Infinity;
	replies.forEach((reply, i) => {
		const away = Math.abs(reply.at_ms - at);
		if (away < distance) [best, distance] = [i, away];
	});
	return best;
}
