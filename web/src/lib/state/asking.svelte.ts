import { invalidateAll } from '$app/navigation';
import { asProblem, type Problem } from '../api/problem.ts';

/** How long typing rests before it is asked about, in milliseconds. */
const REST_MS = 180;

/**
 * A question that changes while somebody types. It is asked once typing rests; an answer that a later question
 * overtook is dropped, and what was answered last stays until there is a new answer.
 */
export class Asking<T> {
	value = $state.raw<T | undefined>();
	/** Why the latest question was not answered. */
	problem = $state.raw<Problem | undefined>();
	busy = $state(false);
	private turn = 0;
	private timer: ReturnType<typeof setTimeout> | undefined;
	private first = true;

	/** Asks once typing rests, the first time at once. Without a question nothing is known. */
	ask(question: (() => Promise<T>) | undefined): void {
		this.stop();
		if (!question) {
			this.value = undefined;
			this.problem = undefined;
			return;
		}
		const turn = this.turn;
		this.busy = true;
		this.timer = setTimeout(() => void this.answer(turn, question), this.first ? 0 : REST_MS);
		this.first = false;
	}

	/** Forgets what is under way. */
	stop(): void {
		clearTimeout(this.timer);
		this.turn += 1;
		this.busy = false;
	}

	private async answer(turn: number, question: () => Promise<T>) {
		try {
			const value = await question();
			if (turn !== this.turn) return;
			this.value = value;
			this.problem = undefined;
		} catch (thrown) {
			if (turn !== this.turn) return;
			this.problem = asProblem(thrown);
			// Signed out: loading the page again leads to the door.
			if (this.problem.status === 401) await invalidateAll();
		}
		this.busy = false;
	}
}
