import { describe, expect, it } from 'vitest';
import { readEvents, type ServerEvent } from './events.ts';

function body(...chunks: string[]): ReadableStream<Uint8Array> {
	const encoder = new TextEncoder();
	return new ReadableStream({
		start(controller) {
			for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
			controller.close();
		}
	});
}

async function read(...chunks: string[]): Promise<ServerEvent[]> {
	const events: ServerEvent[] = [];
	await readEvents(body(...chunks), (event) => events.push(event));
	return events;
}

describe('server-sent events', () => {
	it('come whole however they are cut', async () => {
		const whole = 'event: part\ndata: {"a":"ü"}\n\n: alive\n\nevent: end\ndata: {}\n\n';
		const expected = [
			{ event: 'part', data: '{"a":"ü"}' },
			{ event: 'end', data: '{}' }
		];
		expect(await read(whole)).toEqual(expected);
		expect(await read(...whole)).toEqual(expected);
	});

	it('may have several lines of data and none of a name', async () => {
		expect(await read('data: one\r\ndata: two\r\n\r\n')).toEqual([{ event: 'message', data: 'one\ntwo' }]);
	});

	it('are dropped when they are cut off', async () => {
		expect(await read('event: part\ndata: {}')).toEqual([]);
	});
});
