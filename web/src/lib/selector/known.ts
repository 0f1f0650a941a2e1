import type { Queue, Worker } from '../api/types.ts';
import { SelectorMistake } from './lexer.ts';
import { parseSelector, termsOf, type Selector, type Term } from './parse.ts';

/** What words of a selector can stand for. */
export interface Fleet {
	queues: Queue[];
	workers: Worker[];
}

/** The queue a name stands for, with or without its prefix. */
export function queueOf(name: string, queues: Queue[]): Queue | undefined {
	const wanted = name.toLowerCase();
	return queues.find(({ queue }) => [wanted, `netwark.${wanted}`].includes(queue.toLowerCase()));
}

/** Everything that is plainly wrong with a selector; the server has the last word. */
export function mistakesOf(text: string, fleet: Fleet): SelectorMistake[] {
	let selector: Selector;
	try {
		selector = parseSelector(text);
	} catch (thrown) {
		if (thrown instanceof SelectorMistake) return [thrown];
		throw thrown;
	}
	return termsOf(selector.expression).flatMap((term) => {
		const message = unknown(term, fleet);
		return message === undefined ? [] : [new SelectorMistake(term.start, term.end, message)];
	});
}

/** What to say of a term that stands for nothing. */
function unknown({ kind, value }: Term, { queues, workers }: Fleet): string | undefined {
	const same = (own: string) => own.toLowerCase() === value.toLowerCase();
	const nobody = (found: boolean, what: string) => (found ? undefined : `finds nobody: no worker ${what}`);
	switch (kind) {
		case 'word':
			if (queueOf(value, queues) || workers.some(({ name }) => same(name))) return undefined;
			return 'is no queue and no worker';
		case 'queue':
			return queueOf(value, queues) ? undefined : 'is no queue';
		case 'worker':
			return nobody(
				workers.some(({ name }) => same(name)),
				`is named '${value}'`
			);
		case 'tag':
			return nobody(
				workers.some(({ tags }) => tags.some(same)),
				`has the tag '${value}'`
			);
		case 'site':
			return nobody(
				workers.some(({ site }) => same(site)),
				`stands at the site '${value}'`
			);
		case 'country':
			return nobody(
				workers.some(({ country }) => same(country)),
				`stands in the country '${value}'`
			);
		case 'as':
			return nobody(
				workers.some(({ asn }) => asn === Number(value)),
				`stands in AS${value}`
			);
		default:
			return undefined;
	}
}
