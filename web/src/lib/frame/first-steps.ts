const KEY = 'netwark.tried.';

/** Remembers in this browser that something has been tried once. */
export function markTried(step: string) {
	try {
		localStorage.setItem(KEY + step, '1');
	} catch {
		// Storage is forbidden: the step stays unticked.
	}
}

/** True when it has been tried in this browser. */
export function wasTried(step: string): boolean {
	try {
		return localStorage.getItem(KEY + step) === '1';
	} catch {
		return false;
	}
}
