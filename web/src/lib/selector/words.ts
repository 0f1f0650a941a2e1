import type { Queue, Selection } from '../api/types.ts';

/** More names than these are counted. */
const NAMED = 8;

/** True when somebody would run it. */
export function findsAnybody({ workers, direct }: Selection): boolean {
	return workers.length + direct.length > 0;
}

/** Direct queues that are chosen and that no worker listens on now; of a queue that is not known nothing is said. */
export function unheard({ direct }: Selection, queues: Queue[]): string[] {
	return direct.filter((name) => queues.some(({ queue, online }) => queue === name && online === 0));
}

/** What becomes of work for queues nobody listens on: `Nobody listens on netwark.paris now: ...` Empty without such. */
export function unheardText(names: string[]): string {
	if (names.length === 0) return '';
	return `Nobody listens on ${names.join(' or ')} now: it would wait for a worker there, and time out if none comes.`;
}

/** Who would run it: `Would run on 3 workers: lyon-1, paris-1, paris-2.` */
export function selectionText({ workers, direct, limit }: Selection): string {
	const parts: string[] = [];
	if (workers.length > 0) {
		const names = workers.slice(0, NAMED).map(({ name }) => name);
		const more = workers.length > NAMED ? ` and ${workers.length - NAMED} more` : '';
		const drawn = limit !== null && limit < workers.length;
		const number = drawn
			? `${limit} of these ${workers.length} workers, drawn at random`
			: plural(workers.length, 'worker');
		parts.push(`on ${number}: ${names.join(', ')}${more}`);
	}
	if (direct.length > 0) parts.push(`on any one worker of ${direct.join(', of ')}`);
	return parts.length > 0 ? `Would run ${parts.join(', and ')}.` : 'No worker would run it.';
}

/** Who would be left out: `1 skipped: lyon-2 is offline.` Empty when nobody is. */
export function skippedText(skipped: { worker: string; reason: string }[]): string {
	if (skipped.length === 0) return '';
	const named = skipped.slice(0, NAMED).map(({ worker, reason }) => `${worker} is ${spoken(reason)}`);
	const more = skipped.length > NAMED ? ` and ${skipped.length - NAMED} more` : '';
	return `${skipped.length} skipped: ${named.join(', ')}${more}.`;
}

function spoken(reason: string): string {
	return reason === 'enrolled' ? 'not seen yet' : reason;
}

function plural(number: number, noun: string): string {
	return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
