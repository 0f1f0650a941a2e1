// Who a selector finds in the made-up installation: one site, or everybody.
import { queues, workers } from './catalog.mjs';
import { json, problem } from './http.mjs';

/** Answers a preview. A tag that is called nowhere is nowhere. */
export function select(from, response) {
	const unknown = 'tag:nowhere';
	if (from.includes(unknown)) {
		const at = `'${unknown}' at character ${from.indexOf(unknown) + 1}`;
		const description = `${at} finds nobody: no worker has the tag 'nowhere'`;
		return problem(response, 400, 'The request is not valid', [
			{ location: 'querystring', name: 'from', description }
		]);
	}
	const queue = queues.find((one) => one.queue === from && !one.broadcast);
	const site = /site:(\w+)/.exec(from)?.[1];
	const fitting = queue
		? []
		: workers.filter((one) => one.state !== 'revoked' && (!site || one.site === site));
	const takes = (one) => one.state === 'online';
	return json(response, 200, {
		from,
		workers: fitting.filter(takes).map(({ id, name, site }) => ({ id, name, site })),
		direct: queue ? [queue.queue] : [],
		skipped: fitting.filter((one) => !takes(one)).map(({ name, state }) => ({ worker: name, reason: state })),
		limit: Number(/limit (\d+)/.exec(from)?.[1] ?? 0) || null
	});
}
