import { geoGraticule, geoNaturalEarth1, geoPath, type GeoPermissibleObjects } from 'd3-geo';
import type { Coordinates } from '../api/types.ts';
import type { Point, Size } from './view.ts';

/** The world on a plane of a given width: the natural earth projection, in pixels. */
export interface Chart extends Size {
	/** Where a place lies. */
	place(at: Coordinates): Point;
	/** Which place lies there; nothing beyond the edge of the world. */
	locate(at: Point): Coordinates | null;
	/** A shape as the path of an SVG. */
	draw(shape: GeoPermissibleObjects): string;
	sphere: string;
	graticule: string;
}

/** Between two lines of the grid, in degrees. */
const STEP = 30;

/** Lays the world out over the whole width, with a pixel of air around it. */
export function makeChart(width: number): Chart {
	const sphere = { type: 'Sphere' } as const;
	const projection = geoNaturalEarth1().fitWidth(Math.max(1, width - 2), sphere);
	const path = geoPath(projection).digits(1);
	const [, [, bottom]] = path.bounds(sphere);
	const [left, top] = projection.translate();
	projection.translate([left + 1, top + 1]);
	const place = ({ latitude, longitude }: Coordinates) => {
		const [x, y] = projection([longitude, latitude]) ?? [0, 0];
		return { x, y };
	};
	return {
		width,
		height: Math.ceil(bottom) + 2,
		place,
		locate({ x, y }) {
			const [longitude, latitude] = projection.invert?.([x, y]) ?? [NaN, NaN];
			const there = { latitude, longitude };
			// Beyond the edge the inverse goes on around the globe; what does not lead back was none.
			const back = place(there);
			const near = Math.hypot(back.x - x, back.y - y) < 0.5;
			return near && Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90 ? there : null;
		},
		draw: (shape) => path(shape) ?? '',
		sphere: path(sphere) ?? '',
		graticule: path(geoGraticule().step([STEP, STEP])()) ?? ''
	};
}
