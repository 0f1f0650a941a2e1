import { invalidateAll } from '$app/navigation';
import { asProblem, type Problem } from '../api/problem.ts';

/** How often what has no event stream is read anew, in milliseconds. */
const EVERY_MS = 5000;

/**
 * Something that is read again and again while the page is looked at. What was read last stays while
 * the server does not answer.
 */
export class Fresh<T> {
	/** As it was last read. */
	value: T = $state.raw() as T;
	/** Why the last look failed, until one works again. */
	problem = $state.raw<Problem | undefined>();
	private looks = 0;

	constructor(
		first: T,
		private readonly read: () => Promise<T>,
		private readonly everyMs = EVERY_MS
	) {
		this.value = first;
	}

	/** Reads it now. An answer that was overtaken by a later question is dropped. */
	async refresh(): Promise<void> {
		const look = (this.looks += 1);
		try {
			const value = await this.read();
			if (look !== this.looks) return;
			this.value = value;
			this.problem = undefined;
		} catch (thrown) {
			if (look !== this.looks) return;
			this.problem = asProblem(thrown);
			// Signed out: loading the page again leads to the door.
			if (this.problem.status === 401) await invalidateAll();
		}
	}

	/** Reads it every few seconds while the page is visible, until the returned function is called. */
	watch(): () => void {
		const look = () => {
			if (document.visibilityState === 'visible') void this.refresh();
		};
		const timer = setInterval(look, this.everyMs);
		document.addEventListener('visibilitychange', look);
		return () => {
			clearInterval(timer);
			document.removeEventListener('visibilitychange', look);
			// An answer that is still under way is nobody's any more.
			this.looks += 1;
		};
	}
}
