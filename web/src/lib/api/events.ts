/** One server-sent event. */
export interface ServerEvent {
	event: string;
	data: string;
}

/** Reads server-sent events from an answer until it ends; comments and empty events are left out. */
export async function readEvents(body: ReadableStream<Uint8Array>, tell: (event: ServerEvent) => void) {
	const reader = body.getReader();
	const decoder = new TextDecoder();
	let text = '';
	for (;;) {
		const { value, done } = await reader.read();
		text += decoder.decode(value, { stream: !done });
		const blocks = text.split(/\r?\n\r?\n/);
		// What follows the last empty line has not come whole yet.
		text = blocks.pop() ?? '';
		for (const block of blocks) {
			const event = readEvent(block);
			if (event) tell(event);
		}
		if (done) return;
	}
}

function readEvent(block: string): ServerEvent | undefined {
	const lines = block.split(/\r?\n/);
	const values = (field: string) =>
		lines
			.filter((line) => line.startsWith(`${field}:`))
			.map((line) => line.slice(field.length + 1).replace(/^ /, ''));
	const data = values('data');
	return data.length > 0 ? { event: values('event').at(-1) ?? 'message', data: data.join('\n') } : undefined;
}
