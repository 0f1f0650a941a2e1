import type { Pathname } from '$app/types';
import { pages } from './pages.ts';

/** The words of older page addresses behind `/tools/`, and the look-up each leads to now. */
const OLD = new Map(
	Object.entries({
		whois: '/lookups/whois',
		ipcalc: '/lookups/ip-calc',
		'ip-calc': '/lookups/ip-calc',
		'mac-oui': '/lookups/mac-oui',
		dns: '/lookups/dns',
		geoip: '/lookups/geoip'
	})
);

/**
 * Where an older page address leads, without the path the server is reached under; `undefined` when there was no such
 * page. What stood behind the page's name is what is asked for.
 */
export function newAddress(path: string): { href: Pathname; query: string } | undefined {
	const [tool = '', ...rest] = path.split('/').filter(Boolean);
	const wanted = OLD.get(tool);
	if (wanted === undefined) return undefined;
	const href = pages.find(({ href }) => href === wanted)?.href ?? '/lookups';
	const asked = rest.join('/');
	return { href, query: asked && `?q=${encodeURIComponent(asked)}` };
}
