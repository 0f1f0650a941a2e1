// A server that answers as Netwark does, from made-up data, and serves the built UI beside it.
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nextId, queues, tools, workers } from './catalog.mjs';
import { fleet } from './fleet.mjs';
import { json, problem, received } from './http.mjs';
import { pingOutcome } from './measurements.mjs';
import { add, operations } from './operations.mjs';
import { watched } from './watch.mjs';

const BUILD = fileURLToPath(new URL('../../web/build/', import.meta.url));
const TYPES = {
	'.js': 'text/javascript',
	'.css': 'text/css',
	'.svg': 'image/svg+xml',
	'.html': 'text/html',
	'.woff2': 'font/woff2'
};
const ALL = [
	'operations:read',
	'operations:run',
	'workers:read',
	'workers:manage',
	'queues:manage',
	'events:read',
	'events:acknowledge',
	'watch:read',
	'watch:write',
	'lookups:read',
	'lookups:ask',
	'users:manage',
	'tokens:manage',
	'metrics:read'
];
const admin = {
	kind: 'user',
	name: 'admin',
	role: 'admin',
	permissions: ALL,
	setup_required: false,
	insecure: false
};
const stranger = {
	...admin,
	kind: 'anonymous',
	name: null,
	role: null,
	permissions: [],
	setup_required: true
};
const started_at = new Date(Date.now() - 7_200_000).toISOString();
const status = {
	version: '0.1.0',
	started_at,
	database: 'SQLite 3.51.3',
	broker: 'in-process',
	timezone: 'Europe/Paris',
	operations_open: 1,
	operations_today: 128,
	operations_kept: 4096,
	suggestions: [
		{ label: 'Gateway', target: '192.0.2.1', why: 'where packets leave this network' },
		{ label: 'Resolver', target: '192.0.2.53', why: 'who answers names for this machine' },
		{ label: 'This machine', target: '127.0.0.1', why: 'always answers' }
	]
};
const user = { id: nextId(), name: 'admin', role: 'admin', created_at: started_at };
const token = { id: nextId(), name: 'ci', role: 'operator', created_at: started_at, last_used_at: null };

const enrolled = 'netwark worker --server https://netwark.example --token nww_0193_made-up';
const made = {
	worker: workers.find((one) => one.state === 'enrolled'),
	token: 'nww_0193_made-up',
	commands: {
		shell: enrolled,
		systemd: `sudo tee /etc/systemd/system/netwark-worker.service <<'END'\n[Service]\nExecStart=${enrolled}\nEND`,
		docker: `docker run -d netwark ${enrolled}`,
		compose: `services:\n  worker:\n    command: ${enrolled}\n`
	}
};

const pairing = {
	worker: made.worker,
	code: 'K7XQ-2MPD',
	expires_at: new Date(Date.now() + 600_000).toISOString(),
	command: 'netwark worker --server https://netwark.example --code K7XQ-2MPD'
};

/** Starts the server on a port of loopback; 0 is any free one. */
export async function startMock({ setupRequired = false, port = 0 } = {}) {
	const watchers = new Set();
	const answers = {
		'GET /session': setupRequired ? stranger : admin,
		'GET /status': status,
		'GET /tools': tools,
		'GET /workers': workers,
		'GET /management/backend/queues': queues,
		'GET /users': [user],
		'GET /tokens': [token],
		'POST /workers': made,
		'POST /workers/pairings': pairing
	};
	const server = createServer((request, response) => {
		const url = new URL(request.url, 'http://mock');
		if (!url.pathname.startsWith('/api/v1/')) return file(url.pathname, response);
		const path = url.pathname.slice('/api/v1'.length);
		const answer = answers[`${request.method} ${path}`];
		if (answer) return json(response, 200, answer);
		if (fleet(path, url, request, response)) return;
		if (watched(path, url, request, response)) return;
		return operationsAt(path, url, request, response, watchers);
	});
	await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
	const stop = () => {
		server.closeAllConnections();
		server.close();
	};
	return { url: `http://127.0.0.1:${server.address().port}`, stop };
}

function operationsAt(path, url, request, response, watchers) {
	if (path === '/operations/events') return watch(url, response, watchers);
	if (path === '/operations' && request.method === 'POST') return create(request, response, watchers);
	if (path === '/operations') {
		const rows = list(url);
		return json(response, 200, rows, { 'X-Total-Count': String(rows.length) });
	}
	const operation = operations.get(path.split('/')[2]);
	if (operation) return json(response, 200, operation);
	return problem(response, 404, 'There is no such operation');
}

function list(url) {
	const wanted = (name) => url.searchParams.get(name) ?? '';
	return [...operations.values()]
		.map(({ results: _, ...header }) => header)
		.filter((one) => one.type.includes(wanted('type')) && one.status.includes(wanted('status')))
		.filter((one) => one.target.includes(wanted('target')))
		.reverse();
}

function watch(url, response, watchers) {
	response.writeHead(200, { 'Content-Type': 'text/event-stream' });
	response.flushHeaders();
	const watcher = { ids: url.searchParams.getAll('id'), response };
	watchers.add(watcher);
	response.on('close', () => watchers.delete(watcher));
	for (const id of watcher.ids) if (operations.has(id)) tell(watcher, operations.get(id));
}

function tell({ response }, { results, ...header }) {
	for (const result of results) {
		response.write(`event: result\ndata: ${JSON.stringify({ ...result, operation_id: header.id })}\n\n`);
	}
	response.write(`event: operation\ndata: ${JSON.stringify(header)}\n\n`);
}

async function create(request, response, watchers) {
	const { type, target, options = null, from = null } = await received(request);
	if (target.includes('$')) {
		const description = "is no address, and a name cannot hold '$'";
		return problem(response, 422, 'The request is not valid', [
			{ location: 'body', name: 'target', description }
		]);
	}
	const typed_options = { count: 20, interval_ms: 1000 };
	const operation = add(type, target, [['paris-1', 'progress', null]], { options, from, typed_options });
	json(response, 201, { message: 'Operation created', operation_id: operation.id, warnings: [] });
	measure(operation, watchers);
}

/** Four replies a second, told to whoever watches. */
function measure(operation, watchers) {
	const [result] = operation.results;
	const { count } = operation.typed_options;
	let sent = 0;
	const timer = setInterval(() => {
		sent += 1;
		result.payload = pingOutcome(operation.target, { count, base: 9, spread: 4, lost: [6] }, sent);
		operation.version += 1;
		result.version = operation.version;
		if (sent === count) {
			clearInterval(timer);
			operation.status = 'done';
			result.status = 'done';
			operation.finished_at = new Date().toISOString();
			result.finished_at = operation.finished_at;
		}
		for (const watcher of watchers) if (watcher.ids.includes(operation.id)) tell(watcher, operation);
	}, 250);
	timer.unref();
}

function file(path, response) {
	const wanted = join(BUILD, normalize(path));
	const there = wanted.startsWith(BUILD) && existsSync(wanted) && statSync(wanted).isFile();
	const found = there ? wanted : join(BUILD, 'index.html');
	response.writeHead(200, { 'Content-Type': TYPES[extname(found)] ?? 'application/octet-stream' });
	createReadStream(found).pipe(response);
}
