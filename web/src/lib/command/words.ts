/** One word of a command, with where it stands in the text. */
export interface Word {
	text: string;
	start: number;
	end: number;
}

/** The words of a command. Nothing is quoted: neither targets, options nor queues hold blanks. */
export function words(text: string): Word[] {
	return [...text.matchAll(/\S+/g)].map((match) => ({
		text: match[0],
		start: match.index,
		end: match.index + match[0].length
	}));
}
