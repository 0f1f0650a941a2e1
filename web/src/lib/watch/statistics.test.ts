import { describe, expect, it } from 'vitest';
import { bars } from './statistics.ts';

describe('bars of days', () => {
	it('stack the severities, and the fullest day fills the box', () => {
		const days = [
			{ day: '2026-11-25', counts: { ok: 0, info: 2, warning: 1, alert: 1 } },
			{ day: '2026-11-26', counts: { ok: 0, info: 0, warning: 2, alert: 0 } }
		];
		const [first, second] = bars(days);
		expect(first!.parts.map(({ severity, height }) => [severity, height])).toEqual([
			['alert', 44],
			['warning', 44],
			['info', 88]
		]);
		expect(first!.parts.at(-1)!.y).toBe(0);
		expect(second!.parts[0]).toMatchObject({ y: 88, height: 88 });
		expect(second!.x).toBeGreaterThan(500);
	});

	it('draws nothing where nothing happened', () => {
		expect(bars([{ day: '2026-11-25', counts: { ok: 0, info: 0, warning: 0, alert: 0 } }])[0]!.parts).toEqual(
			[]
		);
	});
});
