/** One word of a command, with where it stands in the text. */
export interface Word {
	text: string;
	start: number;
	end: number;
}

/** The words of a command. Only in a selector, which is read by itself, may words be quoted. */
export function words(text: string): Word[] {
	return [...text.matchAll(/\S+/g)].map((match) => ({
		text: match[0],
		start: match.index,
		end: match.index + match[0].length
	}));
}
