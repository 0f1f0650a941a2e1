/// <reference lib="webworker" />
import { browser, Hub } from './hub.ts';
import type { FromTab, ToTab } from './messages.ts';

const hub = new Hub(browser);

(self as unknown as SharedWorkerGlobalScope).onconnect = ({ ports: [port] }) => {
	if (!port) return;
	const tell = (message: ToTab) => port.postMessage(message);
	port.onmessage = ({ data }: MessageEvent<FromTab>) => {
		if (data.kind === 'watch') hub.watch(tell, data.watch);
		else if (data.kind === 'restart') hub.restart();
		else if (data.kind === 'leave') hub.leave(tell);
		// A port never says that its tab is gone; the tab's lock does, even after a crash.
		else void navigator.locks.request(data.lock, () => hub.leave(tell));
	};
};
