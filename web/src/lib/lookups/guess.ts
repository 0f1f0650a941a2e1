import { type Piece, piecesOf } from './pieces.ts';

const NAME =
	/^(?:[\p{L}\p{N}_](?:[\p{L}\p{N}_-]{0,61}[\p{L}\p{N}_])?\.)+[\p{L}][\p{L}\p{N}-]{0,61}[\p{L}\p{N}]\.?$/u;
const URL = /^[a-z][a-z0-9+.-]*:\/\/\S+$/i;
/** With dots between groups of four, or digits alone. */
const OTHER_MAC = /^(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}$|^[0-9a-f]{12}$|^(?:[0-9a-f]{2}[:-]){2}[0-9a-f]{2}$/i;

/** True for what is plainly something to look up; the server has the last word and knows more notations. */
export function looksLikeResource(text: string): boolean {
	const [piece, more] = piecesOf(text);
	return (
		(piece?.value === text && more === undefined) || OTHER_MAC.test(text) || URL.test(text) || NAME.test(text)
	);
}

/** As `piecesOf`, and words that are names have values, too. */
export function wordsOf(text: string): Piece[] {
	return text
		.split(/(\s+|,)/)
		.filter(Boolean)
		.flatMap((word) => (NAME.test(word) ? [{ text: word, value: word }] : piecesOf(word)));
}
