// A reverse proxy that serves one server below a path, as a site with other things beside it would.
import { createServer, request } from 'node:http';

/**
 * Answers below `path` with what `server()` answers, passing the path on or taking it away. `strays` gathers
 * what was asked for elsewhere.
 */
export async function startProxy(path, { keeps, server }) {
	const strays = [];
	const proxy = createServer((asked, answer) => {
		if (asked.url !== path && !asked.url.startsWith(`${path}/`)) {
			strays.push(asked.url);
			answer.writeHead(404).end('this is another site\n');
			return;
		}
		const { hostname, port } = new URL(server());
		const below = keeps ? asked.url : asked.url.slice(path.length) || '/';
		const { method, headers } = asked;
		const options = { hostname, port, path: below, method, headers, agent: false };
		const passed = request(options, (response) => {
			answer.writeHead(response.statusCode, response.headers);
			response.pipe(answer);
		});
		passed.on('error', () => answer.destroy());
		answer.on('close', () => answer.writableFinished || passed.destroy());
		asked.pipe(passed);
	});
	await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
	const stop = async () => {
		proxy.closeAllConnections();
		await new Promise((resolve) => proxy.close(resolve));
	};
	return { url: `http://127.0.0.1:${proxy.address().port}${path}`, strays, stop };
}
