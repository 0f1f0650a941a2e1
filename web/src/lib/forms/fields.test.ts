import { describe, expect, it } from 'vitest';
import type { SchemaProperty, ToolInfo } from '../api/types.ts';
import { fieldsOf, optionsOf, valuesOf } from './fields.ts';

const tool = (properties: Record<string, SchemaProperty>): ToolInfo => ({
	name: 'made-up',
	title: 'Made up',
	summary: '',
	target: '',
	target_kind: 'host',
	schema: { properties },
	arguments: [],
	flags: []
});

const fields = fieldsOf(
	tool({
		interval_ms: { type: 'integer', minimum: 10, maximum: 600, default: 100, description: 'Time between.' },
		ratio: { type: 'number', minimum: 0 },
		dont_fragment: { type: 'boolean', default: false },
		family: { type: 'string', enum: ['auto', '4', '6'], default: 'auto' },
		protocol: { oneOf: [{ type: 'null' }, { type: 'string', enum: ['udp', 'tcp'] }] },
		source: { type: ['string', 'null'], maxLength: 15 },
		headers: { type: 'object' },
		lines: { type: 'array', items: { type: 'string' }, default: [] },
		ttl: { anyOf: [{ type: 'integer', maximum: 255 }, { type: 'null' }], default: 64 }
	})
);

describe('a form from a schema', () => {
	it('has a field for every property, whatever the tool', () => {
		expect(
			fields.map(({ name, label, unit, input, fallback }) => [name, label, unit, input, fallback])
		).toEqual([
			['interval_ms', 'Interval', 'ms', 'integer', '100'],
			['ratio', 'Ratio', '', 'number', ''],
			['dont_fragment', "Don't fragment", '', 'checkbox', 'false'],
			['family', 'Family', '', 'choice', 'auto'],
			['protocol', 'Protocol', '', 'choice', ''],
			['source', 'Source', '', 'text', ''],
			['headers', 'Headers', '', 'json', ''],
			['lines', 'Lines', '', 'lines', ''],
			['ttl', 'TTL', '', 'integer', '64']
		]);
		expect(fields[4]?.choices).toEqual(['udp', 'tcp']);
		expect(fieldsOf({ ...tool({}), schema: {} })).toEqual([]);
	});

	it('leaves out of the help what is said of a flag', () => {
		const [wait, code] = fieldsOf(
			tool({
				wait_ms: { type: 'integer', description: 'How long; `-W` takes seconds. Later is late.' },
				dscp: { type: 'integer', description: 'Code point; `-Q` takes the whole TOS byte.' }
			})
		);
		expect([wait?.help, code?.help]).toEqual(['How long. Later is late.', 'Code point.']);
	});

	it('sends what differs from the defaults, with its type', () => {
		const values = {
			interval_ms: '200',
			ratio: '0.5',
			dont_fragment: 'true',
			family: 'auto',
			source: ' eth0 ',
			headers: '{"a":1}',
			lines: 'X-One: 1\n\n X-Two: 2 ',
			ttl: ''
		};
		expect(optionsOf(fields, values)).toEqual({
			options: {
				interval_ms: 200,
				ratio: 0.5,
				dont_fragment: true,
				source: 'eth0',
				headers: { a: 1 },
				lines: ['X-One: 1', 'X-Two: 2']
			},
			errors: {}
		});
	});

	it('names the field that is wrong', () => {
		const values = { interval_ms: '5', ratio: 'x', source: 'a'.repeat(16), headers: '{', ttl: '1.5' };
		expect(optionsOf(fields, values)).toEqual({
			options: {},
			errors: {
				interval_ms: 'must be at least 10',
				ratio: 'must be a number',
				source: 'must have at most 15 characters',
				headers: 'must be JSON',
				ttl: 'must be a whole number'
			}
		});
		expect(optionsOf(fields, { interval_ms: '700' }).errors).toEqual({ interval_ms: 'must be at most 600' });
	});

	it('shows earlier options again', () => {
		const options = { interval_ms: 200, family: 'auto', dont_fragment: true, source: null, unknown: 1 };
		expect(valuesOf(fields, options)).toEqual({ interval_ms: '200', dont_fragment: 'true' });
	});
});
