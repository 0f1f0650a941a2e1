import { describe, expect, it } from 'vitest';
import type { Operation, OperationResult } from '../api/types.ts';
import { comparisonOf } from './compare.ts';

const operation = (type: string) => ({ type, target: 'https://example.org/' }) as Operation;
const verdict = { severity: 'ok', summary: 'Well.', findings: [] };
const hop = (status: number, fingerprint: string, body = 'aa') => ({
	url: 'https://example.org/',
	status,
	version: 'HTTP/2',
	timings: { first_byte: 1, total: 2 },
	body: { bytes: 3, sha256: body },
	tls: { chain: [{ fingerprint }] },
	failure: null
});
const http = (worker: string, ...hops: unknown[]) =>
	({
		id: worker,
		worker,
		status: 'done',
		payload: { reports: [{ address: '192.0.2.1', hops, total_ms: 2, verdict }] }
	}) as unknown as OperationResult;
const odd = (type: string, results: OperationResult[]) => {
	const comparison = comparisonOf(operation(type), results);
	return comparison?.rows.map(({ result, differs }) => [
		result.worker,
		comparison.columns.filter((_, i) => differs[i]).map(({ label }) => label)
	]);
};

describe('results side by side', () => {
	it('names what differs from most', () => {
		const results = [
			http('a', hop(200, 'f1')),
			http('b', hop(200, 'f1')),
			http('c', hop(503, 'f2', 'bb')),
			http('d', hop(200, 'f1'))
		];
		expect(odd('http', results)).toEqual([
			['a', []],
			['b', []],
			['c', ['Status', 'Body', 'Certificate']],
			['d', []]
		]);
	});

	it('marks everybody where nothing is usual', () => {
		expect(odd('http', [http('a', hop(200, 'f1')), http('b', hop(404, 'f1'))])).toEqual([
			['a', ['Status']],
			['b', ['Status']]
		]);
		const all = [http('a', hop(200, 'f1')), http('b', hop(404, 'f1')), http('c', hop(500, 'f1'))];
		expect(odd('http', all)?.map(([, labels]) => labels)).toEqual([['Status'], ['Status'], ['Status']]);
	});

	it('keeps a place for who has not measured', () => {
		const waits = { id: 'w', worker: null, status: 'pending', payload: null } as unknown as OperationResult;
		expect(odd('http', [waits, http('a', hop(200, 'f1'))])).toEqual([
			[null, []],
			['a', []]
		]);
		expect(comparisonOf(operation('ping'), [waits])).toBeUndefined();
	});

	it('says in a word how connections went', () => {
		const statistics = {
			connected: 2,
			attempted: 3,
			refused: 0,
			filtered: 0,
			unanswered: 1,
			unsent: 0,
			median: 5
		};
		const tcp = {
			id: 't',
			worker: 'a',
			status: 'done',
			payload: { reports: [{ address: '192.0.2.1', statistics, verdict }] }
		} as unknown as OperationResult;
		expect(comparisonOf(operation('tcp'), [tcp])?.rows[0]?.cells).toEqual([
			'connects, no answer',
			'2 of 3',
			'5.000'
		]);
	});
});
