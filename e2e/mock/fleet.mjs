// Workers one by one, and the timeline, of the made-up installation.
import { events, workers } from './catalog.mjs';
import { json, problem } from './http.mjs';
import { select } from './selections.mjs';

/** Answers what is asked about workers and events; false when it is about something else. */
export function fleet(path, url, request, response) {
	if (request.method !== 'GET') return false;
	if (path === '/events') {
		json(response, 200, timeline(url.searchParams));
		return true;
	}
	if (path === '/workers/select') {
		select(url.searchParams.get('from') ?? '', response);
		return true;
	}
	const [, noun, id] = path.split('/');
	if (noun !== 'workers' || !id) return false;
	const worker = workers.find((one) => one.id === id);
	if (worker) json(response, 200, worker);
	else problem(response, 404, 'There is no such worker');
	return true;
}

function timeline(query) {
	const wanted = (name) => query.get(name) ?? '';
	const from = wanted('before') ? events.findIndex((one) => one.id === wanted('before')) : events.length;
	return events
		.slice(0, from)
		.filter((one) => !wanted('severity') || one.severity === wanted('severity'))
		.filter((one) => !wanted('worker') || one.worker_id === wanted('worker'))
		.reverse()
		.slice(0, Number(wanted('per_page') || 50));
}
