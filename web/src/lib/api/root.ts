/**
 * The path the server is reached under: empty, or such as `/netwark` behind a proxy. It is where this very
 * file came from, which holds in a shared worker too.
 */
export const root = pathBefore(import.meta.url, '/_app/');

/** What stands before `mark` in the path of a URL; nothing when it has none. */
export function pathBefore(url: string, mark: string): string {
	const { pathname } = new URL(url);
	const at = pathname.indexOf(mark);
	return at < 0 ? '' : pathname.slice(0, at);
}
