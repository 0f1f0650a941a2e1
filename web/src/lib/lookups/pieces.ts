/** A part of a text; one that can be looked up has its value. */
export interface Piece {
	text: string;
	value?: string;
}

/** Groups of hexadecimal digits with colons, IPv4 addresses, MAC addresses with dashes, and AS numbers. */
const LIKELY =
	/(?<![\w.:-])(?:(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?:\/\d{1,3})?|(?:\d{1,3}\.){3}\d{1,3}(?:\/\d{1,2})?|(?:[0-9a-f]{2}-){5}[0-9a-f]{2}|AS\d{1,10})(?![\w:-]|\.\w)/gi;

/** Cuts a text where addresses, prefixes, MAC addresses and AS numbers stand in it. */
export function piecesOf(text: string): Piece[] {
	const pieces: Piece[] = [];
	let from = 0;
	for (const match of text.matchAll(LIKELY)) {
		if (!isOne(match[0])) continue;
		if (match.index > from) pieces.push({ text: text.slice(from, match.index) });
		pieces.push({ text: match[0], value: match[0] });
		from = match.index + match[0].length;
	}
	if (from < text.length) pieces.push({ text: text.slice(from) });
	return pieces;
}

/** Leaves out times of day, versions, and numbers that are too large. */
function isOne(text: string): boolean {
	const [bare = '', length] = text.split('/');
	if (/^AS/i.test(bare)) return Number(bare.slice(2)) <= 0xffffffff;
	if (bare.includes('-')) return true;
	if (!bare.includes(':')) {
		return bare.split('.').every((part) => Number(part) <= 255) && Number(length ?? 0) <= 32;
	}
	const groups = bare.split(':');
	const mac = groups.length === 6 && groups.every((group) => group.length === 2);
	return mac || (isV6(bare, groups) && Number(length ?? 0) <= 128);
}

function isV6(text: string, groups: string[]): boolean {
	const gap = text.includes('::');
	const twice = text.indexOf('::') !== text.lastIndexOf('::') || text.includes(':::');
	// A group in dots stands for two.
	const count = groups.length + (text.includes('.') ? 1 : 0);
	return !twice && (gap ? count <= 9 && text.length > 2 : count === 8 && groups.every(Boolean));
}
