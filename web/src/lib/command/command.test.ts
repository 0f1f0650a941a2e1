import { describe, expect, it } from 'vitest';
import { Problem } from '../api/problem.ts';
import type { Operation, TargetKind, ToolArgument, ToolFlag, ToolInfo, Worker } from '../api/types.ts';
import { complete, type Source } from './complete.ts';
import { operationOf, parse, targetMistake } from './parse.ts';
import { placeProblem } from './place.ts';

const flag = (
	name: string,
	long: string | null = null,
	value = false,
	rest: Partial<ToolFlag> = {}
): ToolFlag => ({
	flag: name,
	long,
	value,
	effect: 'parsed',
	reason: null,
	...rest
});
const argument = (short: string | null, long: string, value: string | null): ToolArgument => ({
	option: long.slice(2),
	short,
	long,
	value,
	help: ''
});
const tool = (
	name: string,
	flags: ToolFlag[],
	own: ToolArgument[] = [],
	target_kind: TargetKind = 'host'
): ToolInfo => ({
	name,
	title: name,
	summary: `Runs ${name}.`,
	target: 'An address.',
	target_kind,
	schema: {},
	arguments: own,
	flags
});
const queue = (name: string) => ({
	queue: name,
	name,
	location: '',
	broadcast: false,
	builtin: false,
	origin: 'ui' as const,
	workers: 2,
	online: 1
});
const worker = (name: string, site: string, tags: string[]) =>
	({ name, site, tags, country: 'FR', asn: 64500, state: 'online' }) as Worker;
const known: Source = {
	tools: [
		tool('ping', [
			flag('-c', null, true),
			flag('-n'),
			flag('-q'),
			flag('-i', null, true),
			flag('-f', null, false, { effect: 'refused', reason: 'flood ping is not offered; use -i' })
		]),
		tool('mtr', [flag('-T', '--tcp'), flag('-P', '--port', true)], [argument(null, '--flows', 'N')]),
		tool('made-up', [], [argument('-x', '--extra', 'N')])
	],
	queues: [queue('netwark'), queue('netwark.broadcast'), queue('netwark.paris'), queue('netwark.lyon')],
	workers: [worker('paris-1', 'Paris', ['prod']), worker('lyon-1', 'New Lyon', ['lab', 'prod'])],
	pages: [
		{ title: 'Workers', href: '/workers', words: 'queues vantage points' },
		{ title: 'Look-ups', href: '/lookups' },
		{ title: 'Registries', href: '/lookups', command: 'whois' }
	],
	recent: [{ id: '1', type: 'ping', target: '192.0.2.7', status: 'done' } as Operation],
	targets: [{ target: '127.0.0.1', label: 'itself' }]
};
const of = (text: string) => operationOf(parse(text, known));
const mistakes = (text: string) =>
	parse(text, known).mistakes.map((one) => [text.slice(one.start, one.end), one.message]);
const labels = (text: string) => complete(text, known).map((choice) => choice.label);

describe('the grammar', () => {
	it('reads what the shell would take', () => {
		expect(of('ping 1.1.1.1 -c 3 from netwark.broadcast')).toEqual({
			type: 'ping',
			target: '1.1.1.1',
			options: '-c 3',
			from: 'netwark.broadcast'
		});
		expect(of('mtr example.org --tcp -P 443 from paris,lyon')).toEqual({
			type: 'mtr',
			target: 'example.org',
			options: '--tcp -P 443',
			from: 'paris,lyon'
		});
		expect(of('ping ::1')).toEqual({ type: 'ping', target: '::1' });
		expect(of('ping -nqc5 ::1 ')).toEqual({ type: 'ping', target: '::1', options: '-nqc5' });
		expect(of('mtr --port=443 a from paris, lyon -T')).toEqual({
			type: 'mtr',
			target: 'a',
			options: '--port=443 -T',
			from: 'paris, lyon'
		});
	});

	it('takes every flag of the command line, also of a tool nobody has heard of', () => {
		expect(of('mtr a --flows 4')).toMatchObject({ options: '--flows 4' });
		expect(of('made-up a -x 1')).toMatchObject({ options: '-x 1' });
		expect(mistakes('made-up a --extra')).toEqual([['--extra', 'needs a value']]);
		expect(labels('mtr a --f')).toEqual(['--flows']);
	});

	it('puts mistakes under the faulty word', () => {
		expect(mistakes('pong a')).toEqual([['pong', 'is no tool; the tools are ping, mtr, made-up']]);
		expect(mistakes('ping a -f')).toEqual([['-f', 'is refused: flood ping is not offered; use -i']]);
		expect(mistakes('ping a -qZ')).toEqual([['-qZ', '-Z is no flag of ping']]);
		expect(mistakes('mtr a --flood x')).toEqual([
			['--flood', 'is no flag of mtr'],
			['x', 'is one word too many: the target is a']
		]);
		expect(mistakes('ping a -c')).toEqual([['-c', 'needs a value']]);
		expect(mistakes('ping a from')).toEqual([['from', 'needs a queue or a selector behind it']]);
		expect(mistakes('ping a from paris,rome')).toEqual([['rome', expect.stringContaining('is no queue')]]);
		expect(mistakes('ping 192.0.2.0/24 -n')).toEqual([['192.0.2.0/24', expect.stringContaining('prefix')]]);
		expect(mistakes('mtr --tcp=1 a')).toEqual([['--tcp=1', 'takes no value']]);
	});

	it('knows what a target of each kind must be', () => {
		const web = { ...known, tools: [tool('http', [], [], 'url')] };
		expect(operationOf(parse('http https://example.org/a?b=1', web))).toEqual({
			type: 'http',
			target: 'https://example.org/a?b=1'
		});
		expect(targetMistake('ftp://example.org', 'url')).toBe('must begin with http:// or https://, not ftp://');
		expect(targetMistake('example.org:8080/x', 'url')).toBeUndefined();
		expect(targetMistake('192.0.2.1:443', 'host_port')).toBeUndefined();
		expect(targetMistake('[2001:db8::1]:443', 'host_port')).toBeUndefined();
		expect(targetMistake('192.0.2.300:443', 'host_port')).toContain('looks like an address');
		expect(targetMistake('https://example.org', 'host_port')).toContain('a host and a port');
		expect(targetMistake('https://example.org', 'host')).toContain('not a URL');
	});

	it('reads a selector up to the next flag', () => {
		expect(of('ping 1.1.1.1 from site:paris and not tag:lab limit 5 -c 3')).toEqual({
			type: 'ping',
			target: '1.1.1.1',
			options: '-c 3',
			from: 'site:paris and not tag:lab limit 5'
		});
		expect(of('ping from site:"New Lyon" or all -c 3 a')).toEqual({
			type: 'ping',
			target: 'a',
			options: '-c 3',
			from: 'site:"New Lyon" or all'
		});
		expect(of('ping a from @last')).toMatchObject({ from: '@last' });
		expect(mistakes('ping a from paris lyon')).toEqual([['lyon', "needs 'and' or 'or' before it"]]);
		expect(mistakes('ping a -n from site:"New')).toEqual([['site:"New', 'needs a closing quote']]);
		expect(mistakes('ping a from tag:no and paris -n')).toEqual([
			['tag:no', "finds nobody: no worker has the tag 'no'"]
		]);
		expect(mistakes('ping a from paris from lyon')).toEqual([['from', "needs 'and' or 'or' before it"]]);
		expect(mistakes('ping a from paris -n from lyon')).toEqual([['from', 'stands there twice']]);
	});

	it('is not complete without a target', () => {
		expect(of('ping')).toBeUndefined();
		expect(of('ping -c 3')).toBeUndefined();
		expect(parse('', known).mistakes).toEqual([]);
	});
});

describe('completion', () => {
	it('offers tools, pages and recent operations first', () => {
		expect(labels('')).toEqual([
			'ping',
			'mtr',
			'made-up',
			'Workers',
			'Look-ups',
			'Registries',
			'ping 192.0.2.7'
		]);
		expect(labels('vantage')).toEqual(['Workers']);
		expect(labels('pi')).toEqual(['ping', 'ping 192.0.2.7']);
	});

	it('offers what fits where the text ends', () => {
		expect(labels('ping ')).toEqual(['192.0.2.7', '127.0.0.1']);
		expect(labels('ping 12')).toEqual(['127.0.0.1']);
		expect(labels('ping a -')).toEqual(['-c', '-n', '-q', '-i']);
		expect(labels('mtr a --p')).toEqual(['--port']);
		expect(labels('ping a ')).toEqual(['from', '-c', '-n', '-q', '-i']);
		expect(labels('ping a fr')).toEqual(['from']);
		expect(labels('ping a -c ')).toEqual([]);
		expect(labels('ping a from pa')).toEqual(['netwark.paris', 'paris-1']);
		expect(labels('ping a from netwark.paris,net')).toEqual(['netwark', 'netwark.broadcast', 'netwark.lyon']);
	});

	it('offers what may stand in a selector', () => {
		expect(labels('ping a from ')).toEqual(
			expect.arrayContaining(['netwark', 'all', '@last', 'not', 'site:', 'tag:'])
		);
		expect(labels('ping a from si')).toEqual(['site:']);
		expect(labels('ping a from site:')).toEqual(['site:"New Lyon"', 'site:Paris']);
		expect(labels('ping a from site:"new l')).toEqual(['site:"New Lyon"']);
		expect(labels('ping a from not tag:l')).toEqual(['tag:lab']);
		expect(labels('ping a from country:')).toEqual(['country:FR']);
		expect(labels('ping a from as:')).toEqual(['as:64500']);
		expect(labels('ping a from worker:par')).toEqual(['worker:paris-1']);
		expect(labels('ping a from (queue:ly')).toEqual(['queue:netwark.lyon']);
		expect(labels('ping a from site:Paris ')).toEqual(['and', 'or', 'limit', '-c', '-n', '-q', '-i']);
		expect(labels('ping a from site:Paris an')).toEqual(['and']);
		expect(labels('ping a from site:Paris limit ')).toEqual([]);
		expect(labels('ping a from site:Paris limit 2 ')).toEqual(['-c', '-n', '-q', '-i']);
		expect(labels('ping a from site:Paris -')).toEqual(['-c', '-n', '-q', '-i']);
		expect(complete('ping a from not ta', known)[0]).toMatchObject({ text: 'ping a from not tag:' });
	});

	it('replaces only the word that is being typed', () => {
		const text = complete('ping a from netwark.paris,netwark.ly', known)[0];
		expect(text).toMatchObject({ text: 'ping a from netwark.paris,netwark.lyon' });
	});
});

describe('look-ups', () => {
	const first = (text: string) => complete(text, known)[0];

	it('are offered for what can be looked up, before what measures it', () => {
		expect(first('192.0.2.1')).toEqual({
			kind: 'lookup',
			label: 'Look up 192.0.2.1',
			hint: 'Look-ups',
			href: '/lookups',
			query: '?q=192.0.2.1'
		});
		expect(labels('2001:db8::/32')[0]).toBe('Look up 2001:db8::/32');
		expect(labels('example.org')).toEqual([
			'Look up example.org',
			...known.tools.map(({ name }) => `${name} example.org`)
		]);
		expect(first('pi')?.kind).toBe('word');
	});

	it('are asked for by their word', () => {
		expect(first('WHOIS  2001:db8::/32')).toMatchObject({
			label: 'whois 2001:db8::/32',
			query: '?q=2001%3Adb8%3A%3A%2F32'
		});
		expect(first('whois')?.kind).not.toBe('lookup');
	});

	it('stay away from commands', () => {
		expect(complete('ping example.org ', known).some(({ kind }) => kind === 'lookup')).toBe(false);
	});
});

describe('what the server found wrong', () => {
	const placed = (text: string, name: string, description: string) => {
		const problem = new Problem(422, 'Bad', '', [{ location: 'body', name, description }]);
		return placeProblem(problem, parse(text, known), text.length).map((one) =>
			text.slice(one.start, one.end)
		);
	};

	it('stands under the word it speaks of', () => {
		expect(placed('ping a -c 20000 -q', 'options.count', 'must be at most 10000, got 20000')).toEqual([
			'20000'
		]);
		expect(placed('ping a -c20000', 'options.count', 'must be at most 10000, got 20000')).toEqual([
			'-c20000'
		]);
		expect(placed('ping a -q -n', 'options', '-n of ping is refused')).toEqual(['-n']);
		expect(placed('ping a..b', 'target', 'has an empty part')).toEqual(['a..b']);
		expect(
			placed('ping a from paris,lyon', 'from', "'lyon' at character 7 is no queue and no worker")
		).toEqual(['lyon']);
		expect(placed('ping a from paris -n', 'from', 'must not be empty')).toEqual(['paris']);
		expect(placed('ping a', 'run_within_ms', 'too long')).toEqual(['ping a']);
	});
});
