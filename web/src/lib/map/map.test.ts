import { describe, expect, it } from 'vitest';
import { makeChart } from './chart.ts';
import { cluster } from './cluster.ts';
import { placeLabels } from './labels.ts';
import { borders, land } from './land.ts';
import { around, centred, CLOSEST, held, moved, shown, under, WHOLE, zoomed } from './view.ts';

const paris = { latitude: 48.86, longitude: 2.35 };
const tokyo = { latitude: 35.68, longitude: 139.69 };
const capeTown = { latitude: -33.92, longitude: 18.42 };

describe('the projection', () => {
	const chart = makeChart(960);

	it('puts the middle of the world in the middle', () => {
		const middle = chart.place({ latitude: 0, longitude: 0 });
		expect(middle.x).toBeCloseTo(480, 0);
		expect(middle.y).toBeCloseTo(chart.height / 2, 0);
	});

	it('puts places where they belong', () => {
		const [p, t, c] = [paris, tokyo, capeTown].map(chart.place);
		expect(t!.x).toBeGreaterThan(c!.x);
		expect(c!.x).toBeGreaterThan(p!.x);
		expect(p!.y).toBeLessThan(t!.y);
		expect(c!.y).toBeGreaterThan(chart.height / 2);
	});

	it('keeps the whole world on the page', () => {
		for (const latitude of [-90, -45, 0, 45, 90]) {
			for (const longitude of [-180, -90, 0, 90, 180]) {
				const { x, y } = chart.place({ latitude, longitude });
				expect(x).toBeGreaterThanOrEqual(0);
				expect(x).toBeLessThanOrEqual(chart.width);
				expect(y).toBeGreaterThanOrEqual(0);
				expect(y).toBeLessThanOrEqual(chart.height);
			}
		}
	});

	it('finds the place that was pointed at, and none beyond the edge', () => {
		for (const place of [paris, tokyo, capeTown]) {
			const found = chart.locate(chart.place(place));
			expect(found?.latitude).toBeCloseTo(place.latitude, 3);
			expect(found?.longitude).toBeCloseTo(place.longitude, 3);
		}
		expect(chart.locate({ x: 2, y: 2 })).toBeNull();
		expect(chart.locate({ x: 958, y: chart.height - 2 })).toBeNull();
	});

	it('draws land and borders at every width', () => {
		for (const width of [320, 960]) {
			const { draw, sphere } = makeChart(width);
			for (const path of [draw(land), draw(borders), sphere]) expect(path).toMatch(/^M/);
			expect(draw(land)).not.toContain('NaN');
		}
	});
});

describe('clusters', () => {
	const spot = (id: string, x: number, y: number) => ({ id, x, y });

	it('join what is close, and nothing else', () => {
		const found = cluster([spot('a', 0, 0), spot('b', 5, 0), spot('c', 100, 0)], 20);
		expect(found.map(({ members }) => members.map(({ id }) => id))).toEqual([['a', 'b'], ['c']]);
		expect(found[0]).toMatchObject({ id: 'a', x: 2.5, y: 0 });
	});

	it('join what stands at the very same place', () => {
		const found = cluster([spot('b', 7, 7), spot('a', 7, 7)], 1);
		expect(found).toHaveLength(1);
		expect(found[0]!.id).toBe('a');
	});

	it('leave no two marks that touch, lose nobody, and do not depend on the order', () => {
		const spots = Array.from({ length: 300 }, (_, i) => spot(`w${i}`, (i * 7919) % 400, (i * 104_729) % 200));
		const found = cluster(spots, 24);
		expect(found.flatMap(({ members }) => members)).toHaveLength(300);
		for (const [at, one] of found.entries()) {
			for (const other of found.slice(at + 1)) {
				expect(Math.hypot(one.x - other.x, one.y - other.y)).toBeGreaterThanOrEqual(24);
			}
		}
		expect(cluster(spots.toReversed(), 24)).toEqual(found);
		expect(cluster([], 24)).toEqual([]);
	});
});

describe('labels', () => {
	const size = { width: 400, height: 200 };
	const mark = (id: string, x: number, y: number) => ({ id, x, y, text: id, radius: 5 });

	it('stand right of their mark, or where there is room', () => {
		expect(placeLabels([mark('paris-1', 100, 100)], size).get('paris-1')).toMatchObject({ anchor: 'start' });
		expect(placeLabels([mark('tokyo-1', 395, 100)], size).get('tokyo-1')).toMatchObject({ anchor: 'end' });
	});

	it('never cover a mark or each other', () => {
		const both = placeLabels([mark('paris-1', 100, 100), mark('lyon-1', 120, 100)], size);
		expect(both.get('paris-1')).toMatchObject({ anchor: 'end' });
		expect(both.get('lyon-1')).toMatchObject({ anchor: 'start' });
		const beside = placeLabels([mark('paris-1', 100, 100), { ...mark('4', 120, 100), text: '' }], size);
		expect([...beside.keys()]).toEqual(['paris-1']);
		expect(beside.get('paris-1')).toMatchObject({ anchor: 'end' });
	});

	it('are left out where there is no room', () => {
		expect(placeLabels([mark('x'.repeat(100), 200, 100)], size).size).toBe(0);
	});
});

describe('the view', () => {
	const size = { width: 800, height: 400 };

	it('keeps the point under the pointer where it is', () => {
		const at = { x: 600, y: 100 };
		const closer = zoomed(WHOLE, 4, at, size);
		expect(closer.k).toBe(4);
		expect(shown(closer, under(WHOLE, at))).toEqual(at);
	});

	it('shows nothing beyond the edges', () => {
		expect(moved({ k: 2, x: 0, y: 0 }, 50, -9999, size)).toEqual({ k: 2, x: 0, y: -400 });
		expect(held({ k: 99, x: 10, y: 10 }, size)).toEqual({ k: CLOSEST, x: 0, y: 0 });
		expect(zoomed({ k: 2, x: -800, y: -400 }, 0.01, { x: 0, y: 0 }, size)).toEqual(WHOLE);
	});

	it('puts one point in the middle, or as near to it as the edges allow', () => {
		const middle = { x: size.width / 2, y: size.height / 2 };
		const point = { x: size.width * 0.4, y: size.height * 0.6 };
		expect(shown(centred(point, 4, size), point)).toEqual(middle);
		expect(centred(point, 99, size).k).toBe(CLOSEST);
		expect(centred(point, 0.5, size)).toEqual(WHOLE);
		const corner = shown(centred({ x: 0, y: 0 }, 4, size), { x: 0, y: 0 });
		expect(corner).toEqual({ x: 0, y: 0 });
	});

	it('goes as close as its points allow', () => {
		const points = [
			{ x: 100, y: 100 },
			{ x: 140, y: 110 }
		];
		const view = around(points, size);
		expect(view.k).toBe(10);
		for (const point of points) {
			const { x, y } = shown(view, point);
			expect(x).toBeGreaterThan(0);
			expect(x).toBeLessThan(size.width);
			expect(y).toBeGreaterThan(0);
			expect(y).toBeLessThan(size.height);
		}
		expect(around([points[0]!], size).k).toBe(CLOSEST);
		expect(around([], size)).toEqual(WHOLE);
	});
});
