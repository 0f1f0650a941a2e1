import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import type { Operation, OperationResult, Responder } from '../api/types.ts';
import { traceOf } from '../charts/fixtures.ts';
import { atTarget, countWords, cutOf, shortfall, shownSeverity } from './outcome.ts';
import Summary from './Summary.svelte';

afterEach(cleanup);

const counts = (fields: Partial<Operation['counts']>) => ({
	pending: 0,
	progress: 0,
	done: 0,
	error: 0,
	timeout: 0,
	cancelled: 0,
	...fields
});
const result = (fields: Partial<OperationResult>) =>
	({ id: 'r', worker: 'paris-1', queue: 'q', late: false, payload: null, ...fields }) as OperationResult;

describe('what came of an operation', () => {
	it('is whole only when every worker measured', () => {
		expect(shortfall({ counts: counts({ done: 3 }) })).toBe('');
		expect(shortfall({ counts: counts({ done: 1, error: 1, timeout: 1 }) })).toBe('2 of 3 failed');
		expect(shortfall({ counts: counts({ done: 2, cancelled: 1 }) })).toBe('1 of 3 cancelled');
		expect(countWords(counts({ done: 1, timeout: 2, pending: 1 }))).toBe('1 done, 2 timeout, 1 waiting');
	});
});

describe('a result that was cut short', () => {
	it('says by what', () => {
		expect(cutOf(result({ status: 'done' }))).toBeUndefined();
		expect(cutOf(result({ status: 'timeout' }))?.word).toBe('timed out');
		expect(cutOf(result({ status: 'timeout', late: true }))?.lead).toBe('Its late report says:');
		expect(cutOf(result({ status: 'progress' }), new Set(['lyon-1']))).toBeUndefined();
		expect(cutOf(result({ status: 'progress' }), new Set(['paris-1']))?.word).toBe('worker offline');
	});

	it('is never well, and never better than what was measured', () => {
		const cut = cutOf(result({ status: 'timeout' }));
		expect(shownSeverity('ok', cut)).toBe('warning');
		expect(shownSeverity('alert', cut)).toBe('alert');
		expect(shownSeverity('ok', undefined)).toBe('ok');
	});

	it('says in the table why', () => {
		const operation = { type: 'ping', take_within_ms: 60_000, run_within_ms: 30_000 } as Operation;
		const failed = result({ status: 'error', payload: { cause: 'no such name' } });
		render(Summary, { operation, results: [failed], away: new Set<string>() });
		screen.getByText('Could not measure: no such name.');
	});
});

describe('loss at the target', () => {
	const trace = traceOf(
		'192.0.2.9',
		[
			[1, 0, ['10.0.0.1', 1]],
			[2, 0, ['192.0.2.9', 20]]
		],
		[['10.0.0.1', '192.0.2.9']]
	);
	const [near, far] = trace.hops as [(typeof trace.hops)[0], (typeof trace.hops)[0]];
	const own = (received: number) => ({ ...far.responders[0]!, received });
	const other = (received: number): Responder => ({
		...near.responders[0]!,
		received,
		answer: { kind: 'unreachable', message: 'host unreachable' }
	});

	it('is what the target itself did not answer', () => {
		expect(atTarget(trace)).toEqual({ hops: 2, loss: 0, average: 20 });
		const refused = { ...far, sent: 10, received: 10, loss: 0, responders: [own(6), other(4)] };
		const found = atTarget({ ...trace, hops: [near, refused] });
		expect(found.loss).toBeCloseTo(40);
		expect(found.average).toBe(20);
	});

	it('does not count probes that are under way', () => {
		const early = { ...far, sent: 10, received: 9, loss: 0, responders: [own(9)] };
		expect(atTarget({ ...trace, hops: [early] }).loss).toBeCloseTo(0);
	});

	it('is whole when somebody refuses and the target never answered, unknown when all is silent', () => {
		const refused = { ...near, responders: [other(3)] };
		expect(atTarget({ address: '192.0.2.9', end: 'unreachable', hops: [refused] })).toEqual({ loss: 100 });
		expect(atTarget({ address: '192.0.2.9', end: 'silence', hops: [near] })).toEqual({});
	});
});
