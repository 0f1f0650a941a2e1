// The real server, started for one file of tests in a directory of its own.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BINARY = process.env.NETWARK_BIN ?? new URL('../../target/debug/netwark', import.meta.url).pathname;
const PATIENCE_MS = 20_000;

export const PASSWORD = 'correct horse battery';

/** A port of loopback that was free a moment ago. */
async function freePort() {
	const probe = createServer();
	await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
	const { port } = probe.address();
	await new Promise((resolve) => probe.close(resolve));
	return port;
}

/** Starts a server on an empty data directory, with these variables besides. */
export async function startServer(variables = {}) {
	const dir = await mkdtemp(join(tmpdir(), 'netwark-e2e-'));
	const url = `http://127.0.0.1:${await freePort()}`;
	const environment = { PATH: process.env.PATH, HOME: dir, ...variables };
	const server = spawn(BINARY, ['serve', '--listen', url.slice('http://'.length), '--data-dir', dir], {
		env: environment,
		stdio: ['ignore', 'ignore', 'pipe']
	});
	let log = '';
	server.stderr.on('data', (text) => (log += text));
	const gone = new Promise((resolve) => {
		server.once('exit', resolve);
		server.once('error', (error) => {
			log += error.message;
			resolve();
		});
	});
	const stop = async () => {
		server.kill('SIGTERM');
		await gone;
		await rm(dir, { recursive: true, force: true });
	};
	const died = gone.then(() => Promise.reject(new Error(`${BINARY} did not start:\n${log}`)));
	try {
		const setupLink = await Promise.race([ready(url, join(dir, 'setup-link')), died]);
		return { url, setupLink, stop };
	} catch (error) {
		await stop();
		throw error;
	}
}

/** The set-up link, once the server answers and has written it. */
async function ready(url, linkFile) {
	const until = Date.now() + PATIENCE_MS;
	while (Date.now() < until) {
		const answer = await fetch(`${url}/readyz`).catch(() => null);
		const link = answer?.ok && (await readFile(linkFile, 'utf8').catch(() => ''));
		if (link) return link.trim();
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	throw new Error(`${url} was not ready within ${PATIENCE_MS / 1000} s`);
}

/** Makes the first administrator and hands back the cookie of its session. */
export async function makeAdmin({ url, setupLink }) {
	const code = new URLSearchParams(new URL(setupLink).hash.slice(1)).get('code');
	const answer = await fetch(`${url}/api/v1/setup`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json', Origin: url },
		body: JSON.stringify({ code, name: 'admin', password: PASSWORD })
	});
	if (answer.status !== 201) throw new Error(`set-up answered ${answer.status}: ${await answer.text()}`);
	const [pair] = answer.headers.get('set-cookie').split(';');
	const [name, value] = pair.split('=');
	return { name, value, url };
}

/** Starts a worker on a directory of its own; `ended` is its exit code and what it logged, once it is gone. */
export async function startWorker(args, env = {}) {
	const dir = await mkdtemp(join(tmpdir(), 'netwark-e2e-worker-'));
	const worker = spawn(BINARY, ['worker', ...args, '--data-dir', dir], {
		env: { PATH: process.env.PATH, HOME: dir, ...env },
		stdio: ['ignore', 'ignore', 'pipe']
	});
	let log = '';
	worker.stderr.on('data', (text) => (log += text));
	const ended = new Promise((resolve) => {
		worker.once('exit', (code) => resolve({ code, log }));
		worker.once('error', (error) => resolve({ code: null, log: error.message }));
	});
	const stop = async () => {
		worker.kill('SIGTERM');
		await ended;
		await rm(dir, { recursive: true, force: true });
	};
	return { ended, stop, log: () => log };
}
