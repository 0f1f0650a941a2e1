import type { Problem } from '../api/problem.ts';
import type { Command, Mistake } from './parse.ts';
import type { Word } from './words.ts';

/** Puts what the server found wrong under the words it speaks of. */
export function placeProblem(problem: Problem, command: Command, length: number): Mistake[] {
	const whole = { start: 0, end: Math.max(length, 1) };
	if (problem.errors.length === 0) return [{ ...whole, message: problem.detail || problem.title }];
	return problem.errors.map((error) => {
		const word = wordOf(error.name, error.description, command);
		return { start: word?.start ?? whole.start, end: word?.end ?? whole.end, message: error.description };
	});
}

function wordOf(field: string, description: string, command: Command): Word | undefined {
	if (field === 'type') return command.toolWord;
	if (field === 'target') return command.target;
	if (field === 'from') return selectorWord(description, command.from);
	if (!field.startsWith('options')) return undefined;
	// The server names the value it was given, or the flag; whichever stands among the words is underlined.
	const given = /got "?([^"\s]+)"?/.exec(description)?.[1];
	return (
		command.flags.find((word) => given !== undefined && valueOf(word.text) === given) ??
		command.flags.find((word) => description.split(/[\s:;,']+/).includes(word.text)) ??
		span(command.flags)
	);
}

/** The word of a selector that an error speaks of: `'lyon' at character 7 needs ...`. */
function selectorWord(description: string, from: Word | undefined): Word | undefined {
	const [, text = '', character] = /^'(.*)' at character (\d+) /.exec(description) ?? [];
	if (!from || character === undefined) return from;
	const start = from.start + [...from.text].slice(0, Number(character) - 1).join('').length;
	return { text, start, end: start + text.length };
}

function valueOf(word: string): string {
	return /^-[A-Za-z]\S/.test(word) && !word.startsWith('--')
		? word.slice(2)
		: word.slice(word.indexOf('=') + 1);
}

function span(words: Word[]): Word | undefined {
	const [first, last] = [words[0], words.at(-1)];
	return first && last && { text: '', start: first.start, end: last.end };
}
