import type { NewOperation, Queue, ToolInfo } from '../api/types.ts';
import { flagsOf, type Flag } from './flags.ts';
import { words, type Word } from './words.ts';

/** What the grammar is checked against. */
export interface Known {
	tools: ToolInfo[];
	queues: Queue[];
}

/** A mistake and the part of the text it speaks of. */
export interface Mistake {
	start: number;
	end: number;
	message: string;
}

/** What may stand where the text ends. */
export type Expected =
	| { kind: 'tool'; word: Word }
	| { kind: 'target'; word: Word; tool: ToolInfo }
	| { kind: 'flag'; word: Word; tool: ToolInfo }
	| { kind: 'value'; word: Word; tool: ToolInfo; flag: Flag }
	| { kind: 'after'; word: Word; tool: ToolInfo }
	| { kind: 'queue'; word: Word; tool: ToolInfo; chosen: string[] };

/** A command as far as it could be read. */
export interface Command {
	tool?: ToolInfo;
	toolWord?: Word;
	target?: Word;
	/** Words of flags and their values, as they were typed. */
	flags: Word[];
	queues: Word[];
	mistakes: Mistake[];
	/** True when nothing is missing and nothing is wrong. */
	complete: boolean;
	expected: Expected;
}

/** Reads `TOOL TARGET [FLAGS] [from QUEUE[,QUEUE]]`, in the order people like; the words after the tool may be mixed. */
export function parse(text: string, known: Known): Command {
	const all = words(text);
	const tail: Word = { text: '', start: text.length, end: text.length };
	const typing = all.length > 0 && all.at(-1)?.end === text.length ? (all.at(-1) as Word) : tail;
	const command: Command = {
		flags: [],
		queues: [],
		mistakes: [],
		complete: false,
		expected: { kind: 'tool', word: typing }
	};
	const [first, ...rest] = all;
	if (!first) return command;
	command.toolWord = first;
	const tool = known.tools.find((candidate) => candidate.name === first.text.toLowerCase());
	if (!tool) {
		const names = known.tools.map((candidate) => candidate.name).join(', ');
		wrong(command, first, `is no tool; the tools are ${names}`);
		return command;
	}
	command.tool = tool;
	if (typing === first) return command;
	new Reader(command, tool, known, rest, typing).read();
	command.complete = command.mistakes.length === 0 && command.target !== undefined;
	return command;
}

/** What the API is sent for a complete command. */
export function operationOf(command: Command): NewOperation | undefined {
	if (!command.complete || !command.tool || !command.target) return undefined;
	const operation: NewOperation = { type: command.tool.name, target: command.target.text };
	if (command.flags.length > 0) operation.options = command.flags.map((word) => word.text).join(' ');
	if (command.queues.length > 0) operation.queues = command.queues.map((word) => word.text);
	return operation;
}

function wrong(command: Command, word: Word, message: string) {
	command.mistakes.push({ start: word.start, end: word.end, message });
}

class Reader {
	private readonly flags: Flag[];

	constructor(
		private readonly command: Command,
		private readonly tool: ToolInfo,
		private readonly known: Known,
		private readonly rest: Word[],
		private readonly typing: Word
	) {
		this.flags = flagsOf(tool);
	}

	read() {
		this.command.expected = this.next();
		let word = this.rest.shift();
		while (word) {
			if (word.text === 'from' || word.text === '--from') this.queues(word);
			else if (word.text.startsWith('--') && word.text.length > 2) this.long(word);
			else if (word.text.startsWith('-')) this.short(word);
			else this.target(word);
			word = this.rest.shift();
		}
		if (
			this.typing.text === '' &&
			this.command.expected.kind !== 'value' &&
			this.command.expected.kind !== 'queue'
		) {
			this.command.expected = this.next();
		}
	}

	private next(): Expected {
		return { kind: this.command.target ? 'after' : 'target', word: this.typing, tool: this.tool };
	}

	private target(word: Word) {
		if (this.command.target) {
			wrong(this.command, word, `is one word too many: the target is ${this.command.target.text}`);
		} else {
			this.command.target = word;
			const reason = targetMistake(word.text);
			if (reason && word !== this.typing) wrong(this.command, word, reason);
		}
		if (word === this.typing) {
			const kind = this.command.target === word ? 'target' : 'after';
			this.command.expected = { kind, word, tool: this.tool };
		}
	}

	private long(word: Word) {
		const [name, attached] = splitOnce(word.text, '=');
		if (word === this.typing) this.command.expected = { kind: 'flag', word, tool: this.tool };
		const flag = this.flags.find((candidate) => candidate.long === name);
		if (!flag) return wrong(this.command, word, `is no flag of ${this.tool.name}`);
		this.command.flags.push(word);
		if (this.refused(flag, word)) return;
		if (flag.value && attached === undefined) this.value(flag, word);
		else if (!flag.value && attached !== undefined) wrong(this.command, word, 'takes no value');
	}

	/** One or several letters behind a dash; the last may take a value, attached or as the next word. */
	private short(word: Word) {
		if (word === this.typing) this.command.expected = { kind: 'flag', word, tool: this.tool };
		if (word.text === '-') return wrong(this.command, word, 'a flag is missing behind the dash');
		this.command.flags.push(word);
		for (let i = 1; i < word.text.length; i++) {
			const letter = `-${word.text[i]}`;
			const flag = this.flags.find((candidate) => candidate.short === letter);
			if (!flag) return wrong(this.command, word, `${letter} is no flag of ${this.tool.name}`);
			if (this.refused(flag, word)) return;
			if (flag.value) {
				if (i === word.text.length - 1) this.value(flag, word);
				return;
			}
		}
	}

	private refused(flag: Flag, word: Word): boolean {
		if (flag.refused === null) return false;
		wrong(this.command, word, `is refused: ${flag.refused}`);
		return true;
	}

	private value(flag: Flag, word: Word) {
		const value = this.rest.shift();
		if (!value) {
			wrong(this.command, word, 'needs a value');
			if (this.typing.text === '') {
				this.command.expected = { kind: 'value', word: this.typing, tool: this.tool, flag };
			}
			return;
		}
		this.command.flags.push(value);
		if (value === this.typing) this.command.expected = { kind: 'value', word: value, tool: this.tool, flag };
	}

	/** Everything behind `from`, up to the next flag: names with commas or blanks between them. */
	private queues(from: Word) {
		const before = this.command.queues.length;
		while (this.rest[0] && !this.rest[0].text.startsWith('-')) {
			const word = this.rest.shift() as Word;
			for (const part of parts(word)) this.queue(part);
		}
		const typed = this.command.queues.at(-1);
		const chosen = this.command.queues.map((word) => word.text);
		if (this.typing !== from && this.rest.length === 0) {
			const current = typed && typed.end === this.typing.end && this.typing.text !== '' ? typed : undefined;
			const at = this.typing.end;
			const word = current ?? { text: '', start: at, end: at };
			this.command.expected = {
				kind: 'queue',
				word,
				tool: this.tool,
				chosen: current ? chosen.slice(0, -1) : chosen
			};
		}
		if (this.command.queues.length === before) wrong(this.command, from, 'needs a queue behind it');
	}

	private queue(word: Word) {
		this.command.queues.push(word);
		const names = this.known.queues.map((queue) => queue.queue);
		if (!names.includes(word.text) && !names.includes(`netwark.${word.text}`)) {
			wrong(this.command, word, `is no queue; the queues are ${names.join(', ')}`);
		}
	}
}

/** The parts of a word between commas, each with its own place. */
function parts(word: Word): Word[] {
	return [...word.text.matchAll(/[^,]+/g)].map((match) => ({
		text: match[0],
		start: word.start + match.index,
		end: word.start + match.index + match[0].length
	}));
}

function splitOnce(text: string, by: string): [string, string | undefined] {
	const at = text.indexOf(by);
	return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + by.length)];
}

/** What is plainly wrong with a target; the server has the last word. */
export function targetMistake(text: string): string | undefined {
	if (text.includes('://')) return 'must be an address or a name, not a URL';
	if (text.includes('/')) return 'must be one address or name, not a prefix';
	if (/^\d+(\.\d+){3}$/.test(text) && text.split('.').some((part) => Number(part) > 255)) {
		return 'looks like an address but is none; IPv4 has four numbers from 0 to 255';
	}
	return undefined;
}
