import { api } from '../api/client.ts';
import { asProblem, type Problem } from '../api/problem.ts';
import type { Parts, Subject } from '../api/types.ts';

/** One question about anything, its parts as they arrive. A new question drops what is still under way. */
export class Asked {
	subject = $state.raw<Subject | undefined>();
	parts = $state.raw<Parts>({});
	busy = $state(false);
	/** Why there is no answer, or why it ended early. */
	problem = $state.raw<Problem | undefined>();

	/** Asks, and forgets what was known before. Returns what gives the question up. */
	ask(q: string): () => void {
		this.subject = undefined;
		this.parts = {};
		this.problem = undefined;
		// Nothing of the state is read here, so that an effect that asks does not depend on what it is told.
		this.busy = q !== '';
		const asking = new AbortController();
		if (q !== '') void this.follow(q, asking.signal);
		return () => asking.abort();
	}

	private async follow(q: string, signal: AbortSignal) {
		try {
			await api().lookUp(q, signal, {
				subject: (subject) => (this.subject = subject),
				// Merged from what stands there now, since the parts come one by one.
				part: (part) => (this.parts = { ...this.parts, ...part })
			});
		} catch (thrown) {
			if (signal.aborted) return;
			this.problem = asProblem(thrown);
		}
		if (!signal.aborted) this.busy = false;
	}
}
