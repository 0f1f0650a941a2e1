import { expect, it } from 'vitest';
import type { HttpHop } from '../api/types.ts';
import { phasesOf, scaleOf } from './http-phases.ts';

const hop = (timings: Partial<HttpHop['timings']>) =>
	({
		timings: { name: null, connect: null, tls: null, first_byte: null, body: null, total: 0, ...timings }
	}) as HttpHop;

it('puts the steps of a request one behind the other', () => {
	const phases = phasesOf(hop({ name: 1, connect: 2, first_byte: 4, body: 0, total: 8 }));
	expect(phases.map(({ name, begin, took }) => [name, begin, took])).toEqual([
		['Name', 0, 1],
		['Connect', 1, 2],
		['First byte', 3, 4],
		['Body', 7, 0]
	]);
});

it('draws all requests on the scale of the longest', () => {
	expect(scaleOf([hop({ total: 8 }), hop({ connect: 30, total: 20 })])).toBe(30);
	expect(scaleOf([])).toBeGreaterThan(0);
});
