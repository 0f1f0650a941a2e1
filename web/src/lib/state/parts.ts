/** How browsers, and the loader of styles, say that a part of the program could not be fetched. */
const MISSING = /dynamically imported module|importing a module script failed|unable to preload css/i;

/** Whether a part of the program is not there: the server is gone, or has another version by now. */
export function isMissingPart(error: unknown): boolean {
	return error instanceof Error && MISSING.test(error.message);
}
