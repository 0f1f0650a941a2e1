import { expect, it } from 'vitest';
import type { Operation } from '../api/types.ts';
import { withNews } from './list.ts';

const row = (id: string, version = 1, fields: Partial<Operation> = {}) =>
	({ id, version, status: 'done', type: 'ping', target: 'example.org', ...fields }) as Operation;
const ids = (operations: Operation[]) => operations.map((one) => one.id);

it('new operations join the first page on top, changed ones stay where they are', () => {
	const rows = [row('3'), row('2'), row('1')];
	const news = [row('2', 2, { status: 'error' }), row('4'), row('0')];
	const merged = withNews(rows, news, { page: 1, per_page: 3 });
	expect(ids(merged)).toEqual(['4', '3', '2']);
	expect(merged[2]?.status).toBe('error');
	expect(ids(withNews(rows, news, { page: 2, per_page: 3 }))).toEqual(['3', '2', '1']);
});

it('new operations must fit the filters', () => {
	const news = [
		row('4', 1, { type: 'mtr' }),
		row('5', 1, { status: 'progress' }),
		row('6', 1, { target: 'EXAMPLE.net' })
	];
	expect(ids(withNews([], news, { type: 'mtr' }))).toEqual(['4']);
	expect(ids(withNews([], news, { status: 'progress' }))).toEqual(['5']);
	expect(ids(withNews([], news, { target: 'example.n' }))).toEqual(['6']);
});
