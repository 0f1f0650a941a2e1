/** The server a ready-made command names, when only the machine it runs on reaches it: `http://127.0.0.1:6543`. */
export function loopbackServer(command: string): string | undefined {
	const url = /--server[ ",]+(https?:\/\/[^\s"',]+)/.exec(command)?.[1];
	if (url === undefined || !URL.canParse(url)) return undefined;
	const { hostname } = new URL(url);
	const here = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/i.test(hostname);
	return here ? url : undefined;
}
