import type { ToolInfo } from '../api/types.ts';

/** A flag that may stand in a command. */
export interface Flag {
	short: string | null;
	long: string | null;
	/** The word for its value; null when it takes none. */
	value: string | null;
	help: string;
	/** Why it is refused; null when it is not. */
	refused: string | null;
	/** False for what is accepted only because ping and mtr have it. */
	useful: boolean;
}

/** Hints are shown as plain text, without the marks of code. */
const plain = (text: string) => text.replaceAll('`', '');

/** The flags of a tool: those of its own command line, then those that only the older programs have. */
export function flagsOf(tool: ToolInfo): Flag[] {
	const own = tool.arguments.map(({ short, long, value, help }): Flag => ({
		short,
		long,
		value,
		help: plain(help),
		refused: null,
		useful: true
	}));
	const taken = new Set(own.flatMap(({ short, long }) => [short, long]));
	const older = tool.flags
		.filter((flag) => !taken.has(flag.flag))
		.map((flag): Flag => ({
			short: flag.flag,
			// A long name may be taken by a flag of our own that has another letter.
			long: taken.has(flag.long) ? null : flag.long,
			value: flag.value ? 'VALUE' : null,
			help: plain(flag.reason ?? ''),
			refused: flag.effect === 'refused' ? plain(flag.reason ?? 'it is not offered') : null,
			useful: flag.effect === 'parsed'
		}));
	return [...own, ...older];
}
