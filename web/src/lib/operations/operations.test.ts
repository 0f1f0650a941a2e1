import { describe, expect, it } from 'vitest';
import type { Operation, OperationResult, ToolArgument, ToolInfo } from '../api/types.ts';
import { commandLine, curlLine } from './command-line.ts';
import { byQueue, excuse } from './payload.ts';
import { providerText } from './provider.ts';

const argument = (
	option: string,
	short: string | null,
	long: string | null,
	value: string | null
): ToolArgument => ({
	option,
	short,
	long,
	value,
	help: ''
});
const tool: ToolInfo = {
	name: 'ping',
	title: '',
	summary: '',
	target: '',
	target_kind: 'host',
	schema: { properties: { family: { enum: ['auto', '4', '6', 'all'] }, protocol: {}, count: {} } },
	arguments: [
		argument('count', '-c', '--count', 'N'),
		argument('interval_ms', '-i', '--interval', 'SECONDS'),
		argument('dscp', '-Q', '--tos', 'TOS'),
		argument('dont_fragment', '-M', '--pmtudisc', 'do|dont'),
		argument('quiet', null, '--quiet', null),
		argument('v6', '-6', '--ipv6', null),
		argument('all_addresses', null, '--all-addresses', null),
		argument('tcp', '-T', '--tcp', null)
	],
	flags: []
};
const line = (options: Record<string, unknown>) =>
	commandLine(tool, { type: 'ping', target: 'a', options, from: 'q' });

describe('the same elsewhere', () => {
	it('is one shell command', () => {
		expect(line({ count: 3, interval_ms: 200, dscp: 46, dont_fragment: true, quiet: true })).toBe(
			'netwark ping a -c 3 -i 0.2 -Q 184 -M do --quiet --from q'
		);
		expect(line({ family: '6' })).toBe('netwark ping a -6 --from q');
		expect(line({ family: 'all', protocol: 'tcp' })).toBe('netwark ping a --all-addresses -T --from q');
		const http = { ...tool, name: 'http', arguments: [argument('headers', '-H', '--header', 'HEADER')] };
		const options = { headers: ['X-One: 1', 'X-Two: 2'] };
		expect(commandLine(http, { type: 'http', target: 'http://a/', options, from: 'q' })).toBe(
			"netwark http http://a/ -H 'X-One: 1' -H 'X-Two: 2' --from q"
		);
		expect(line({ made_up: "it's" })).toBe(`netwark ping a --made-up 'it'\\''s' --from q`);
		expect(commandLine(tool, { type: 'ping', target: '', from: 'paris,lyon' })).toBe(
			'netwark ping TARGET --from paris,lyon'
		);
		expect(commandLine(tool, { type: 'ping', target: 'a', from: 'site:"New York" limit 2' })).toBe(
			`netwark ping a --from 'site:"New York" limit 2'`
		);
	});

	it('is one request', () => {
		expect(curlLine('http://h', { type: 'ping', target: "o'x" })).toContain(
			`-d '{"type":"ping","target":"o'\\''x"}'`
		);
	});
});

describe('results', () => {
	const operation = {
		type: 'mtr',
		target: 'example.org',
		queues: ['b', 'a'],
		take_within_ms: 60_000,
		run_within_ms: 30_000
	} as Operation;
	const result = (fields: Partial<OperationResult>) =>
		({ worker: null, queue: 'a', ...fields }) as OperationResult;

	it('stand by queue, in the order they were named', () => {
		const results = [
			result({ worker: 'z' }),
			result({}),
			result({ worker: 'c', queue: 'same workers' }),
			result({ worker: 'm' })
		];
		expect(
			byQueue(operation, results).map(([queue, group]) => [queue, group.map((one) => one.worker)])
		).toEqual([
			['a', ['m', 'z', null]],
			['same workers', ['c']]
		]);
	});

	it('say why there is nothing to see', () => {
		const say = (fields: Partial<OperationResult>) => excuse(operation, result(fields));
		expect(say({ status: 'done' })).toBeUndefined();
		expect(say({ status: 'error', payload: { cause: 'no such name.' } })).toBe(
			'Could not measure: no such name.'
		);
		expect(say({ status: 'timeout' })).toBe('No worker took it within 1 min.');
		expect(say({ status: 'timeout', started_at: 'x' })).toContain('after 30 s');
	});

	it('make a text for a provider', () => {
		const text = providerText(
			operation,
			result({ worker: 'paris-1', started_at: '2026-03-10T11:59:01.5Z', finished_at: null }),
			{
				address: '192.0.2.1',
				protocol: 'tcp',
				verdict: {
					severity: 'alert',
					summary: 'The target loses 20% of the packets.',
					findings: [
						{ severity: 'alert', kind: 'target_loss', hop: 6, text: 'hop 6 loses 20%' },
						{ severity: 'ok', kind: 'healthy', hop: null, text: 'fine' }
					]
				},
				raw: ['HOST: paris-1', '  1.|-- 10.0.0.1']
			}
		);
		expect(text).toContain('Target:    example.org (192.0.2.1)');
		expect(text).toContain('mtr over TCP, from paris-1');
		expect(text).toContain('Began:     2026-03-10 11:59:01 UTC');
		expect(text).toContain('- alert: hop 6 loses 20%');
		expect(text).not.toContain('fine');
		expect(text.endsWith('  1.|-- 10.0.0.1\n')).toBe(true);
	});
});
