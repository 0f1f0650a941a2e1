/** A choice of the viewer's that this browser remembers; without storage it lasts as long as the page. */
export function kept(key: string, fallback: string): string {
	try {
		return localStorage.getItem(`netwark.${key}`) ?? fallback;
	} catch {
		return fallback;
	}
}

/** Remembers a choice in this browser. */
export function keep(key: string, value: string) {
	try {
		localStorage.setItem(`netwark.${key}`, value);
	} catch {
		// Storage is forbidden.
	}
}
