import type { Severity, Worker, WorkerState } from '../api/types.ts';

/** What the list of workers is narrowed to; an empty text is no filter. */
export interface WorkerFilter {
	text: string;
	state: string;
	tag: string;
	site: string;
}

export type SortKey = 'state' | 'name' | 'version' | 'running' | 'load' | 'seen';

/** How the list of workers is ordered. */
export interface Sorting {
	by: SortKey;
	down: boolean;
}

/** The states, those that need a look first behind the healthy ones. */
export const states: WorkerState[] = ['online', 'draining', 'offline', 'enrolled', 'revoked'];

export const stateWords: Record<WorkerState, string> = {
	online: 'Online',
	draining: 'Draining',
	offline: 'Offline',
	enrolled: 'Never seen',
	revoked: 'Revoked'
};

export const stateColours: Record<WorkerState, string> = {
	online: 'text-ok',
	draining: 'text-warning',
	offline: 'text-alert',
	enrolled: 'text-ink-3',
	revoked: 'text-ink-3'
};

/** What each state means, in a sentence. */
export const stateMeanings: Record<WorkerState, string> = {
	online: 'Connected, and takes work.',
	draining: 'Connected; finishes what runs and takes nothing new.',
	offline: 'Not connected.',
	enrolled: 'Enrolled, but it has never connected.',
	revoked: 'Cut off by an administrator.'
};

/** Beyond this a worker's clock is worth a warning, in milliseconds. */
const CLOCK_LIMIT_MS = 1000;

/** The workers that fit every part of the filter. */
export function filterWorkers(workers: Worker[], filter: WorkerFilter): Worker[] {
	const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
	return workers.filter((worker) => {
		if (filter.state && worker.state !== filter.state) return false;
		if (filter.tag && !worker.tags.includes(filter.tag)) return false;
		if (filter.site && worker.site !== filter.site) return false;
		const text = haystack(worker);
		return words.every((word) => text.includes(word));
	});
}

function haystack(worker: Worker): string {
	const { name, site, location, country, asn, version, tags, queues } = worker;
	const parts = [name, site, location, country, asn ? `as${asn}` : '', version, ...tags, ...queues];
	return parts.join('\n').toLowerCase();
}

/** The workers in order; those that are equal stand by name, and what is unknown stands last either way. */
export function sortWorkers(workers: Worker[], { by, down }: Sorting): Worker[] {
	const sign = down ? -1 : 1;
	return workers.toSorted((a, b) => {
		const [left, right] = [rank(a, by), rank(b, by)];
		if (left === null || right === null) {
			if (left !== right) return left === null ? 1 : -1;
		} else {
			const order = compare(left, right);
			if (order !== 0) return sign * order;
		}
		return byName(a, b);
	});
}

/** The workers in the order in which they want to be looked at: those that are missing first. */
export function lookFirst(workers: Worker[]): Worker[] {
	const order: WorkerState[] = ['offline', 'draining', 'online', 'enrolled', 'revoked'];
	return workers.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || byName(a, b));
}

const byName = (a: Worker, b: Worker) => a.name.localeCompare(b.name, 'en', { numeric: true });

function compare(a: string | number, b: string | number): number {
	if (typeof a === 'number' && typeof b === 'number') return a - b;
	return String(a).localeCompare(String(b), 'en', { numeric: true });
}

function rank(worker: Worker, by: SortKey): string | number | null {
	switch (by) {
		case 'state':
			return states.indexOf(worker.state);
		case 'name':
			return worker.name;
		case 'version':
			return worker.version || null;
		case 'running':
			return worker.running;
		case 'load':
			return loadNow(worker);
		case 'seen':
			return worker.last_seen_at;
	}
}

/** Every value of a field that some worker has, once and in order. */
export function valuesOf(workers: Worker[], field: (worker: Worker) => string | string[]): string[] {
	return [...new Set(workers.flatMap(field))].filter(Boolean).sort((a, b) => a.localeCompare(b, 'en'));
}

/** How many workers are in each state that occurs, in the order of the states. */
export function countStates(workers: Worker[]): { state: WorkerState; count: number }[] {
	return states
		.map((state) => ({ state, count: workers.filter((worker) => worker.state === state).length }))
		.filter(({ count }) => count > 0);
}

/** True when the version `a` comes before `b`; words behind the numbers do not count. */
export function isOlder(a: string, b: string): boolean {
	const numbers = (version: string) => version.split(/[-+]/)[0]!.split('.').map(Number);
	const [left, right] = [numbers(a), numbers(b)];
	if ([...left, ...right].some(Number.isNaN)) return false;
	for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
		const difference = (left[at] ?? 0) - (right[at] ?? 0);
		if (difference !== 0) return difference < 0;
	}
	return false;
}

/** Something about a worker that deserves a look. */
export interface Notice {
	severity: Severity;
	text: string;
}

/** The load of a worker that is connected; what was last heard of others is no news of now. */
export function loadNow(worker: Worker): number | null {
	return worker.online ? worker.load : null;
}

/** True when the worker's clock is further from the server's than anybody should be. */
export function clockIsOff(worker: Worker): boolean {
	return Math.abs(worker.clock_offset_ms ?? 0) > CLOCK_LIMIT_MS;
}

/** How a clock stands beside the server's: `2.3 s ahead`. */
export function clockWords(offsetMs: number): string {
	const seconds = Math.abs(offsetMs) / 1000;
	const size = seconds < 1 ? `${Math.round(Math.abs(offsetMs))} ms` : `${Number(seconds.toFixed(1))} s`;
	return `${size} ${offsetMs < 0 ? 'behind' : 'ahead'}`;
}

/** What a worker has used of its month: bytes sent and received by all tools in the newest month known. */
export function usedBytes(worker: Worker): number {
	const month = worker.usage.reduce((latest, one) => (one.month > latest ? one.month : latest), '');
	return worker.usage
		.filter((one) => one.month === month)
		.reduce((sum, one) => sum + one.bytes_sent + one.bytes_received, 0);
}

/** The name of a queue without the prefix all of them share. */
export function shortQueue(queue: string): string {
	return queue.replace(/^netwark\./, '');
}

/** Where a worker stands, for people: its site and its location, once where they say the same. */
export function placeOf({ site, location }: Worker): string {
	const plain = (text: string) =>
		text
			.normalize('NFD')
			.replace(/[^a-zA-Z0-9]/g, '')
			.toLowerCase();
	if (!site || !location) return location || site;
	return plain(location).includes(plain(site)) ? location : `${site}, ${location}`;
}
