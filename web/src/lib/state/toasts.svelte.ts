import { asProblem } from '../api/problem.ts';
import type { Severity } from '../api/types.ts';

/** A short message at the edge of the page. */
export interface Toast {
	id: number;
	severity: Severity;
	text: string;
}

const SHOWN_MS = 5000;
/** Failures stay until they are closed, up to so many messages at once. */
const MOST = 4;

class Toasts {
	list = $state.raw<Toast[]>([]);
	private next = 1;

	/** Shows a message; good news leave by themselves. */
	show(text: string, severity: Severity = 'ok') {
		const toast = { id: this.next++, severity, text };
		this.list = [...this.list, toast].slice(-MOST);
		if (severity === 'ok' || severity === 'info') setTimeout(() => this.close(toast.id), SHOWN_MS);
	}

	/** Shows what failed. */
	failed(what: string, thrown: unknown) {
		const problem = asProblem(thrown);
		const reasons = problem.errors.map((error) => `${error.name} ${error.description}`).join('; ');
		this.show(`${what}: ${reasons || problem.detail || problem.title}`, 'alert');
	}

	close(id: number) {
		this.list = this.list.filter((toast) => toast.id !== id);
	}
}

export const toasts = new Toasts();
