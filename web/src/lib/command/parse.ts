import type { NewOperation, TargetKind, ToolInfo } from '../api/types.ts';
import { mistakesOf, type Fleet } from '../selector/known.ts';
import { readable } from '../selector/lexer.ts';
import { flagsOf, type Flag } from './flags.ts';
import { words, type Word } from './words.ts';

/** What the grammar is checked against. */
export interface Known extends Fleet {
	tools: ToolInfo[];
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
	/** The word is the whole selector. */
	| { kind: 'selector'; word: Word; tool: ToolInfo };

/** A command as far as it could be read. */
export interface Command {
	tool?: ToolInfo;
	toolWord?: Word;
	target?: Word;
	/** Words of flags and their values, as they were typed. */
	flags: Word[];
	/** Who is to run it: a selector. */
	from?: Word;
	mistakes: Mistake[];
	/** True when nothing is missing and nothing is wrong. */
	complete: boolean;
	expected: Expected;
}

/**
 * Reads `TOOL TARGET [FLAGS] [from SELECTOR]`, in the order people like; the words after the tool may be mixed. A flag
 * ends the selector.
 */
export function parse(text: string, known: Known): Command {
	const all = words(text);
	const tail: Word = { text: '', start: text.length, end: text.length };
	const typing = all.length > 0 && all.at(-1)?.end === text.length ? (all.at(-1) as Word) : tail;
	const command: Command = {
		flags: [],
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
	new Reader(text, command, tool, known, rest, typing).read();
	command.complete = command.mistakes.length === 0 && command.target !== undefined;
	return command;
}

/** What the API is sent for a complete command. */
export function operationOf(command: Command): NewOperation | undefined {
	if (!command.complete || !command.tool || !command.target) return undefined;
	const operation: NewOperation = { type: command.tool.name, target: command.target.text };
	if (command.flags.length > 0) operation.options = command.flags.map((word) => word.text).join(' ');
	if (command.from) operation.from = command.from.text;
	return operation;
}

function wrong(command: Command, word: Word, message: string) {
	command.mistakes.push({ start: word.start, end: word.end, message });
}

class Reader {
	private readonly flags: Flag[];

	constructor(
		private readonly text: string,
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
			if (word.text === 'from' || word.text === '--from') this.from(word);
			else if (word.text.startsWith('--') && word.text.length > 2) this.long(word);
			else if (word.text.startsWith('-')) this.short(word);
			else this.target(word);
			word = this.rest.shift();
		}
		if (
			this.typing.text === '' &&
			this.command.expected.kind !== 'value' &&
			this.command.expected.kind !== 'selector'
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
			const reason = targetMistake(word.text, this.tool.target_kind);
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

	/** Everything behind `from`, up to the next flag. */
	private from(from: Word) {
		const behind = this.text.slice(from.end);
		const flag = readable(behind).words.find((word) => word.kind === 'plain' && word.text.startsWith('-'));
		const end = from.end + (flag?.start ?? behind.length);
		while (this.rest[0] && this.rest[0].start < end) this.rest.shift();
		const inside = this.text.slice(from.end, end);
		const start = from.end + inside.length - inside.trimStart().length;
		const word = { text: inside.trim(), start, end: start + inside.trim().length };
		if (!flag && this.typing !== from) {
			const typed = { text: this.text.slice(start), start, end };
			this.command.expected = { kind: 'selector', word: typed, tool: this.tool };
		}
		if (this.command.from) return wrong(this.command, from, 'stands there twice');
		if (word.text === '') return wrong(this.command, from, 'needs a queue or a selector behind it');
		this.command.from = word;
		for (const { start, end, message } of mistakesOf(word.text, this.known)) {
			this.command.mistakes.push({ start: word.start + start, end: word.start + end, message });
		}
	}
}

function splitOnce(text: string, by: string): [string, string | undefined] {
	const at = text.indexOf(by);
	return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + by.length)];
}

/** What is plainly wrong with a target of this kind; the server has the last word. */
export function targetMistake(text: string, kind: TargetKind): string | undefined {
	// What ranges there are is a language of its own, of which the server says what is wrong.
	if (kind === 'ranges') return undefined;
	if (kind === 'url') {
		const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
		return scheme && scheme !== 'http' && scheme !== 'https'
			? `must begin with http:// or https://, not ${scheme}://`
			: undefined;
	}
	if (text.includes('://')) {
		return kind === 'host_port'
			? 'must be a host and a port, such as example.org:443, not a URL'
			: 'must be an address or a name, not a URL';
	}
	if (text.includes('/') && (kind !== 'name' || /^[\d.:a-f]+\/\d+$/i.test(text))) {
		return 'must be one address or name, not a prefix';
	}
	const host = kind === 'host_port' ? text.replace(/^([^:]*):\d+$/, '$1') : text;
	if (/^\d+(\.\d+){3}$/.test(host) && host.split('.').some((part) => Number(part) > 255)) {
		return 'looks like an address but is none; IPv4 has four numbers from 0 to 255';
	}
	return undefined;
}
