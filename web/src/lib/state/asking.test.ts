import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '../api/problem.ts';
import { Asking } from './asking.svelte.ts';

vi.mock('$app/navigation', () => ({ invalidateAll: vi.fn() }));

/** A question that is answered when the test says so. */
function held<T>() {
	let answer!: (value: T) => void;
	let refuse!: (thrown: unknown) => void;
	const promise = new Promise<T>((resolve, reject) => ([answer, refuse] = [resolve, reject]));
	return { question: vi.fn(() => promise), answer, refuse };
}

describe('a question that changes while somebody types', () => {
	beforeEach(() => {
		vi.useFakeTimers();
	});
	afterEach(() => {
		vi.useRealTimers();
	});

	it('is asked once typing rests', async () => {
		const asking = new Asking<string>();
		const [one, two, three] = [held<string>(), held<string>(), held<string>()];
		asking.ask(one.question);
		await vi.runAllTimersAsync();
		asking.ask(two.question);
		asking.ask(three.question);
		await vi.runAllTimersAsync();
		expect([one, two, three].map(({ question }) => question.mock.calls.length)).toEqual([1, 0, 1]);
	});

	it('drops an answer that was overtaken', async () => {
		const asking = new Asking<string>();
		const [slow, quick] = [held<string>(), held<string>()];
		asking.ask(slow.question);
		await vi.runAllTimersAsync();
		asking.ask(quick.question);
		await vi.runAllTimersAsync();
		quick.answer('quick');
		await vi.runAllTimersAsync();
		slow.answer('slow');
		await vi.runAllTimersAsync();
		expect([asking.value, asking.busy]).toEqual(['quick', false]);
	});

	it('keeps what is known when a later question is refused', async () => {
		const asking = new Asking<string>();
		const [good, bad] = [held<string>(), held<string>()];
		asking.ask(good.question);
		await vi.runAllTimersAsync();
		good.answer('known');
		await vi.runAllTimersAsync();
		asking.ask(bad.question);
		await vi.runAllTimersAsync();
		bad.refuse(new Problem(400, 'The request is not valid', 'q: is wrong'));
		await vi.runAllTimersAsync();
		expect([asking.value, asking.problem?.status]).toEqual(['known', 400]);
		asking.ask(undefined);
		expect([asking.value, asking.problem]).toEqual([undefined, undefined]);
	});
});
