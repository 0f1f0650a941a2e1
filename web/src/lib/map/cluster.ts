import type { Point } from './view.ts';

/** Something that stands on the map. */
export interface Spot extends Point {
	id: string;
}

/** What is drawn as one mark: one spot, or several that would cover each other. */
export interface Cluster<T extends Spot> extends Point {
	/** Stays the same while the members do. */
	id: string;
	members: T[];
}

/**
 * Joins spots that are nearer to each other than `reach`, until no two marks are. The outcome does
 * not depend on the order in which the spots come.
 */
export function cluster<T extends Spot>(spots: T[], reach: number): Cluster<T>[] {
	const inOrder = spots.toSorted((a, b) => a.x - b.x || a.y - b.y || (a.id < b.id ? -1 : 1));
	let clusters = inOrder.map((spot) => made([spot]));
	for (let before = Infinity; clusters.length < before;) {
		before = clusters.length;
		clusters = joined(clusters, reach);
	}
	return clusters;
}

function joined<T extends Spot>(clusters: Cluster<T>[], reach: number): Cluster<T>[] {
	const kept: Cluster<T>[] = [];
	for (const one of clusters) {
		const at = kept.findIndex((other) => Math.hypot(other.x - one.x, other.y - one.y) < reach);
		if (at === -1) kept.push(one);
		else kept[at] = made([...kept[at]!.members, ...one.members]);
	}
	return kept;
}

function made<T extends Spot>(members: T[]): Cluster<T> {
	const mean = (value: (spot: T) => number) =>
		members.reduce((sum, spot) => sum + value(spot), 0) / members.length;
	const id = members.map((spot) => spot.id).toSorted()[0]!;
	return { id, members, x: mean((spot) => spot.x), y: mean((spot) => spot.y) };
}
