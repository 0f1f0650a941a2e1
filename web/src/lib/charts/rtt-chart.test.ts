import { describe, expect, it } from 'vitest';
import type { PingReply } from '../api/types.ts';
import { chartOf, rttRange } from './rtt-chart.ts';

const reply = (seq: number, rtt: number): PingReply => ({
	seq,
	at_ms: (seq - 1) * 1000,
	fate: 'reply',
	rtt,
	ttl: 64,
	from: null,
	duplicates: 0,
	kernel: true
});
const lost = (seq: number): PingReply => ({ seq, at_ms: (seq - 1) * 1000, fate: 'lost' });

describe('a chart of round trips', () => {
	it('breaks the line where a reply is missing and marks the place', () => {
		const chart = chartOf([reply(1, 1), reply(2, 2), lost(3), reply(4, 1)], 400, 120);
		expect(chart.line.match(/M/g)).toHaveLength(2);
		expect(chart.marks).toMatchObject([{ kind: 'lost', seq: 3 }]);
		expect(chart.dots).toHaveLength(3);
		expect(chart.nearest(chart.xOf(2) + 3)).toBe(2);
	});

	it('keeps room for what is still to come', () => {
		const running = chartOf([reply(1, 1), reply(2, 2)], 400, 120, 9000);
		expect(running.xOf(1)).toBeLessThan(100);
	});

	it('starts at zero only when the line does not lie far above it', () => {
		const labels = (rtts: number[]) =>
			chartOf(
				rtts.map((rtt, i) => reply(i + 1, rtt)),
				400,
				120
			).yTicks.map((tick) => tick.label);
		expect(labels([1, 2, 3])[0]).toBe('0');
		expect(Number(labels([100, 101, 102])[0])).toBeGreaterThan(90);
	});

	it('draws spans once there are more replies than pixels', () => {
		const many = Array.from({ length: 5000 }, (_, i) => reply(i + 1, 1 + (i % 7)));
		const chart = chartOf(many, 400, 120);
		expect(chart.line).toBe('');
		expect(chart.band.match(/M/g)?.length).toBeLessThanOrEqual(400);
		expect(chart.dots).toEqual([]);
	});

	it('stands without any reply', () => {
		expect(chartOf([], 400, 120)).toMatchObject({ line: '', dots: [], marks: [] });
		expect(chartOf([], 400, 120).nearest(100)).toBe(-1);
		expect(chartOf([lost(1)], 0, 0).marks).toHaveLength(1);
	});

	it('shares a scale with its neighbours when it is told their range', () => {
		const [near, far] = [
			[reply(1, 1), reply(2, 2)],
			[reply(1, 90), lost(2)]
		];
		expect(rttRange([...near, ...far])).toEqual([1, 90]);
		expect(rttRange([lost(1)])).toBeUndefined();
		const range = rttRange([...near, ...far]);
		const labels = [near, far].map((one) =>
			chartOf(one, 400, 120, 0, range).yTicks.map(({ label }) => label)
		);
		expect(labels[0]).toEqual(labels[1]);
		expect(chartOf(near, 400, 120).yTicks.map(({ label }) => label)).not.toEqual(labels[0]);
	});
});
