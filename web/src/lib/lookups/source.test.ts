import { expect, test } from 'vitest';
import type { UpdateRun } from '../api/types.ts';
import { isUnderWay, runWords } from './source.ts';

const run = (more: Partial<UpdateRun>): UpdateRun => ({
	state: 'running',
	by: 'user admin',
	asked_at: '2026-11-26T12:00:00Z',
	ended_at: null,
	detail: null,
	bytes: null,
	...more
});

test('how far an update is', () => {
	expect(runWords(run({ state: 'waiting' }))).toBe('waits for another for user admin');
	expect(runWords(run({ by: null }))).toBe('under way');
	expect(runWords(run({ bytes: 12_300 }))).toBe('under way for user admin, 13 kB so far');
	expect(runWords(run({ bytes: 12_340_000 }))).toBe('under way for user admin, 12.3 MB so far');
	expect(runWords(run({ state: 'updated', detail: '5 entries' }))).toBe('done for user admin: 5 entries');
	expect(runWords(run({ state: 'unchanged', by: null }))).toBe('done: nothing is new');
	expect(runWords(run({ state: 'failed', by: null, detail: 'no answer' }))).toBe('failed: no answer');
});

test('what is under way', () => {
	expect(isUnderWay({ run: null })).toBe(false);
	expect(isUnderWay({ run: run({}) })).toBe(true);
	expect(isUnderWay({ run: run({ state: 'waiting' }) })).toBe(true);
	expect(isUnderWay({ run: run({ state: 'failed' }) })).toBe(false);
});
