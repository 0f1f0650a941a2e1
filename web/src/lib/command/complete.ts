import type { Pathname } from '$app/types';
import type { Operation, ToolInfo } from '../api/types.ts';
import { looksLikeResource } from '../lookups/guess.ts';
import { flagsOf } from './flags.ts';
import { offers } from '../selector/complete.ts';
import { parse, type Expected, type Known } from './parse.ts';

/** Somewhere to go. */
export interface PageEntry {
	title: string;
	href: Pathname;
	/** Further words it is found by. */
	words?: string;
	/** A look-up: this word, with something behind it, leads there and asks for it. */
	command?: string;
}

/** One line of the list under the command bar. */
export type Choice =
	| { kind: 'word'; label: string; hint: string; text: string }
	| { kind: 'page'; label: string; hint: string; href: Pathname }
	/** The page with its query: `?q=192.0.2.1`. */
	| { kind: 'lookup'; label: string; hint: string; href: Pathname; query: string }
	| { kind: 'recent'; label: string; hint: string; href: Pathname; operation: Operation };

/** What completion draws from. */
export interface Source extends Known {
	pages: PageEntry[];
	recent: Operation[];
	/** Targets that always answer, besides the recent ones. */
	targets: { target: string; label: string }[];
}

const MOST = 12;

/** What could stand at the end of the text, best first. */
export function complete(text: string, source: Source): Choice[] {
	if (text.trim() === '') return start(source);
	const lookups = lookUps(text.trim(), source);
	const { expected, tool } = parse(text, source);
	if (!tool || expected.kind === 'tool') {
		return [...lookups, ...found(text.trim().toLowerCase(), text, source)];
	}
	return [...continued(text, source, expected, tool), ...lookups];
}

/** What leads to an answer at once: something to look up alone, or behind the word of a look-up. */
function lookUps(text: string, source: Source): Choice[] {
	const [word = '', ...rest] = text.split(/\s+/);
	const asked = rest.join(' ');
	const page = source.pages.find(({ command }) => command === word.toLowerCase());
	if (page && asked !== '') return [lookUp(`${word.toLowerCase()} ${asked}`, page, asked)];
	const anything = source.pages.find(({ href }) => href === '/lookups');
	if (!anything || !looksLikeResource(text)) return [];
	const run = source.tools.map(({ name }) => `${name} ${text}`);
	return [
		lookUp(`Look up ${text}`, anything, text),
		...run.map((text): Choice => ({ kind: 'word', label: text, hint: 'measure it', text: `${text} ` }))
	];
}

function lookUp(label: string, { href, title }: PageEntry, asked: string): Choice {
	return { kind: 'lookup', label, hint: title, href, query: `?q=${encodeURIComponent(asked)}` };
}

function continued(text: string, source: Source, expected: Expected, tool: ToolInfo): Choice[] {
	const before = text.slice(0, expected.word.start);
	const typed = expected.word.text.toLowerCase();
	const word = (label: string, hint: string, end = ' '): Choice => ({
		kind: 'word',
		label,
		hint,
		text: `${before}${label}${end}`
	});
	switch (expected.kind) {
		case 'tool':
			return [];
		case 'target':
			return targets(source)
				.filter(({ target }) => target.toLowerCase().startsWith(typed) && target.toLowerCase() !== typed)
				.map(({ target, label }) => word(target, label))
				.slice(0, MOST);
		case 'flag':
			return flags(tool, typed).map(([label, hint]) => word(label, hint));
		case 'selector':
			return selectorChoices(text, expected.word.start, expected.word.text, tool, source);
		case 'after': {
			const list: Choice[] = 'from'.startsWith(typed) ? [word('from', 'choose who runs it')] : [];
			return typed === '' ? [...list, ...flags(tool, '-').map(([label, hint]) => word(label, hint))] : list;
		}
		case 'value':
			return [];
	}
}

function selectorChoices(
	text: string,
	from: number,
	selector: string,
	tool: ToolInfo,
	source: Source
): Choice[] {
	const { start, offers: found, after } = offers(selector, source);
	const before = text.slice(0, from + start);
	const choice = (label: string, hint: string, end: string): Choice => ({
		kind: 'word',
		label,
		hint,
		text: `${before}${label}${end}`
	});
	const choices = found.map(({ word, hint, open }) => choice(word, hint, open || !after ? '' : ' '));
	const more = after && start === selector.length ? flags(tool, '-') : [];
	return [...choices, ...more.map(([label, hint]) => choice(label, hint, ' '))].slice(0, MOST);
}

/** The flags a tool takes whose name begins so, those that change the measurement first. */
function flags(tool: ToolInfo, typed: string): [label: string, hint: string][] {
	return flagsOf(tool)
		.filter((flag) => flag.useful)
		.map((flag): [string, string] => {
			const label = (typed.startsWith('--') ? flag.long : null) ?? flag.short ?? flag.long ?? '';
			return [label, [flag.value, flag.help].filter(Boolean).join('  ')];
		})
		.filter(([label]) => label.toLowerCase().startsWith(typed))
		.slice(0, MOST);
}

function targets(source: Source): { target: string; label: string }[] {
	const seen = new Map<string, { target: string; label: string }>();
	for (const { target } of source.recent) seen.set(target, { target, label: 'recent' });
	for (const one of source.targets) if (!seen.has(one.target)) seen.set(one.target, one);
	return [...seen.values()];
}

function start(source: Source): Choice[] {
	return [
		...source.tools.map((tool) => toolChoice(tool)),
		...source.pages.map(pageChoice),
		...source.recent.slice(0, 6).map(recentChoice)
	];
}

/** Tools, pages and recent operations that hold what was typed. */
function found(typed: string, text: string, source: Source): Choice[] {
	const holds = (...fields: (string | undefined)[]) =>
		fields.some((field) => field?.toLowerCase().includes(typed));
	return [
		...source.tools.filter((tool) => tool.name.startsWith(typed)).map((tool) => toolChoice(tool)),
		...source.pages.filter((page) => holds(page.title, page.words)).map(pageChoice),
		...source.recent.filter((operation) => holds(operation.target, operation.type)).map(recentChoice)
	].slice(0, text.length > 0 ? MOST : undefined);
}

function toolChoice(tool: ToolInfo): Choice {
	return { kind: 'word', label: tool.name, hint: tool.summary.replaceAll('`', ''), text: `${tool.name} ` };
}

function pageChoice(page: PageEntry): Choice {
	return { kind: 'page', label: page.title, hint: page.href, href: page.href };
}

function recentChoice(operation: Operation): Choice {
	return {
		kind: 'recent',
		label: `${operation.type} ${operation.target}`,
		hint: operation.status,
		href: `/operations/${operation.id}`,
		operation
	};
}
