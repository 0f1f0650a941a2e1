/** Most addresses that are looked up at once. */
export const MOST = 1000;

/** The addresses in a text: whatever stands between blanks, commas and semicolons, each once. */
export function readAddresses(text: string): string[] {
	return [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
}
