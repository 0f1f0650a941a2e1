import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Problem } from '../api/problem.ts';

const invalidateAll = vi.hoisted(() => vi.fn(async () => {}));
vi.mock('$app/navigation', () => ({ invalidateAll }));
const { Fresh } = await import('./fresh.svelte.ts');

describe('what is read again and again', () => {
	beforeEach(() => vi.useFakeTimers());
	afterEach(() => {
		vi.useRealTimers();
		vi.restoreAllMocks();
	});

	it('is read while the page is visible, and no more once it is left', async () => {
		const read = vi.fn(async () => read.mock.calls.length);
		const fresh = new Fresh(0, read, 1000);
		const stop = fresh.watch();
		await vi.advanceTimersByTimeAsync(2500);
		expect(fresh.value).toBe(2);

		const visible = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
		await vi.advanceTimersByTimeAsync(5000);
		expect(fresh.value).toBe(2);
		visible.mockReturnValue('visible');
		document.dispatchEvent(new Event('visibilitychange'));
		await vi.advanceTimersByTimeAsync(0);
		expect(fresh.value).toBe(3);

		stop();
		await vi.advanceTimersByTimeAsync(5000);
		expect(read).toHaveBeenCalledTimes(3);
	});

	it('keeps what it had while the server does not answer', async () => {
		const read = vi.fn<() => Promise<string>>().mockRejectedValueOnce(new Problem(503, 'Busy', ''));
		read.mockResolvedValueOnce('new');
		const fresh = new Fresh('old', read);
		await fresh.refresh();
		expect([fresh.value, fresh.problem?.status]).toEqual(['old', 503]);
		await fresh.refresh();
		expect([fresh.value, fresh.problem]).toEqual(['new', undefined]);
		expect(invalidateAll).not.toHaveBeenCalled();
	});

	it('drops an answer that a later one has overtaken', async () => {
		const answers: ((text: string) => void)[] = [];
		const fresh = new Fresh('', () => new Promise<string>((answer) => answers.push(answer)));
		const [first, second] = [fresh.refresh(), fresh.refresh()];
		answers[1]!('second');
		answers[0]!('first');
		await Promise.all([first, second]);
		expect(fresh.value).toBe('second');
	});

	it('leads to the door once the session is over', async () => {
		const fresh = new Fresh('', () => Promise.reject(new Problem(401, 'Who are you?', '')));
		await fresh.refresh();
		expect(invalidateAll).toHaveBeenCalledOnce();
	});
});
