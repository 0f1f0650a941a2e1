/** A place on the page, in pixels from the upper left. */
export interface Point {
	x: number;
	y: number;
}

/** How far a map is zoomed and where it is moved to: what lay at `p` is shown at `k * p + (x, y)`. */
export interface View extends Point {
	k: number;
}

/** The size of what a map is seen through. */
export interface Size {
	width: number;
	height: number;
}

/** The whole world. */
export const WHOLE: View = { k: 1, x: 0, y: 0 };
/** The shores are drawn coarsely; further in they would only be wrong. */
export const CLOSEST = 12;

/** Where a point of the map is seen. */
export function shown(view: View, { x, y }: Point): Point {
	return { x: view.k * x + view.x, y: view.k * y + view.y };
}

/** Which point of the map is seen there. */
export function under(view: View, { x, y }: Point): Point {
	return { x: (x - view.x) / view.k, y: (y - view.y) / view.k };
}

/** The view pulled back so that nothing beyond the edges of the map is seen. */
export function held(view: View, { width, height }: Size): View {
	const k = Math.min(CLOSEST, Math.max(1, view.k));
	const between = (low: number, value: number) => Math.min(0, Math.max(low, value));
	return { k, x: between(width * (1 - k), view.x), y: between(height * (1 - k), view.y) };
}

/** Closer by `factor`, with the point that is seen at `at` staying where it is. */
export function zoomed(view: View, factor: number, at: Point, size: Size): View {
	const k = Math.min(CLOSEST, Math.max(1, view.k * factor));
	const { x, y } = under(view, at);
	return held({ k, x: at.x - k * x, y: at.y - k * y }, size);
}

/** Moved by so many pixels. */
export function moved(view: View, dx: number, dy: number, size: Size): View {
	return held({ ...view, x: view.x + dx, y: view.y + dy }, size);
}

/** So close, with this point of the map in the middle, as far as the edges allow. */
export function centred(point: Point, k: number, size: Size): View {
	const near = Math.min(CLOSEST, Math.max(1, k));
	return held({ k: near, x: size.width / 2 - near * point.x, y: size.height / 2 - near * point.y }, size);
}

/** As close as all these points of the map allow, with air around them. */
export function around(points: Point[], size: Size): View {
	if (points.length === 0) return WHOLE;
	const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
	const [left, right] = [Math.min(...xs), Math.max(...xs)];
	const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
	const spread = Math.max((right - left) / size.width, (bottom - top) / size.height, 0.5 / CLOSEST);
	const k = Math.max(1, Math.min(CLOSEST, 0.5 / spread));
	const centre = { x: (left + right) / 2, y: (top + bottom) / 2 };
	return centred(centre, k, size);
}
