import { browser, Hub } from './hub.ts';
import type { FromTab, ToTab, Watch } from './messages.ts';

/** A tab's end of the stream. */
export interface Connection {
	watch(watch: Watch): void;
	restart(): void;
}

/** Joins the browser's one stream; where there are no shared workers, opens one for this tab alone. */
export function connect(listen: (message: ToTab) => void): Connection {
	if (typeof SharedWorker === 'undefined') return alone(listen);
	try {
		return shared(listen);
	} catch {
		return alone(listen);
	}
}

function shared(listen: (message: ToTab) => void): Connection {
	const worker = new SharedWorker(new URL('./shared-worker.ts', import.meta.url), {
		type: 'module',
		name: 'netwark-events'
	});
	const send = (message: FromTab) => worker.port.postMessage(message);
	worker.port.onmessage = ({ data }: MessageEvent<ToTab>) => listen(data);
	let latest: Watch = { ids: [], list: false };
	if (navigator.locks) holdLock(send);
	else sayFarewell(send, () => latest);
	return {
		watch: (watch) => send({ kind: 'watch', watch: (latest = watch) }),
		restart: () => send({ kind: 'restart' })
	};
}

/** Held for as long as the tab lives; the worker is told once it is free again. */
function holdLock(send: (message: FromTab) => void) {
	const lock = `netwark-tab-${crypto.randomUUID()}`;
	void navigator.locks.request(lock, () => {
		send({ kind: 'hold', lock });
		return new Promise(() => {});
	});
}

/** Over plain HTTP there are no locks: the tab says itself when it goes, and when it is taken back from the cache. */
function sayFarewell(send: (message: FromTab) => void, latest: () => Watch) {
	window.addEventListener('pagehide', () => send({ kind: 'leave' }));
	window.addEventListener('pageshow', (event) => {
		if (event.persisted) send({ kind: 'watch', watch: latest() });
	});
}

function alone(listen: (message: ToTab) => void): Connection {
	const hub = new Hub(browser);
	return { watch: (watch) => hub.watch(listen, watch), restart: () => hub.restart() };
}
