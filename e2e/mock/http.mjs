// Answers as the API gives them.

export function json(response, code, body, headers = {}) {
	response.writeHead(code, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export function problem(response, code, title, errors = []) {
	response.writeHead(code, { 'Content-Type': 'application/problem+json' });
	response.end(JSON.stringify({ type: 'about:blank', title, status: code, detail: title, errors }));
}

/** The JSON that came with a request. */
export async function received(request) {
	let text = '';
	for await (const part of request) text += part;
	return JSON.parse(text);
}
