import type { HttpHop } from '../api/types.ts';

/** One step of a request, where it stands on the time line. */
export interface Phase {
	name: string;
	/** Milliseconds. */
	took: number;
	/** When it began, in milliseconds after the request did. */
	begin: number;
	colour: string;
	/** How its bar is filled, so that it is told apart without its colour. */
	fill: 'solid' | 'striped' | 'dotted';
}

const STEPS = [
	['Name', 'name', 'var(--copper)', 'solid'],
	['Connect', 'connect', 'var(--accent)', 'striped'],
	['TLS', 'tls', 'var(--accent)', 'solid'],
	['First byte', 'first_byte', 'var(--ink-3)', 'dotted'],
	['Body', 'body', 'var(--ok)', 'solid']
] as const;

/** The steps of a request that took place, one behind the other. */
export function phasesOf({ timings }: HttpHop): Phase[] {
	let begin = 0;
	return STEPS.flatMap(([name, key, colour, fill]) => {
		const took = timings[key];
		if (took === null) return [];
		const phase = { name, took, begin, colour, fill };
		begin += took;
		return [phase];
	});
}

/** What the full width stands for, in milliseconds: the longest of the requests. */
export function scaleOf(hops: HttpHop[]): number {
	return Math.max(0.001, ...hops.map((hop) => Math.max(hop.timings.total, end(hop))));
}

function end(hop: HttpHop): number {
	return phasesOf(hop).reduce((sum, { took }) => sum + took, 0);
}
