import type { DnsOutcome } from '../api/types.ts';
import { plural } from '../format/number.ts';

/** What one worker was told. */
export interface Told {
	id: string;
	worker: string;
	outcome: DnsOutcome;
}

/** One worker's answer beside that of most. */
export interface Line extends Told {
	/** Undefined when most have no common answer, or this one has none at all. */
	same: boolean | undefined;
	/** How it differs, in words; empty when it does not. */
	difference: string;
	/** How its serial number differs from the newest; empty when it does not. */
	behind: string;
}

export interface Comparison {
	lines: Line[];
	/** One sentence over all. */
	summary: string;
	/** All who answered were told the same. */
	agree: boolean;
}

/** What an answer says: two that say the same have the same text. */
function saying({ status, essence }: DnsOutcome): string {
	return [status ?? '', ...essence].join('\n');
}

/** Compares what workers were told. Those without an answer are no part of the majority. */
export function compare(all: readonly Told[]): Comparison {
	const groups = new Map<string, Told[]>();
	for (const told of all.filter(({ outcome }) => outcome.status)) {
		const key = saying(told.outcome);
		groups.set(key, [...(groups.get(key) ?? []), told]);
	}
	const [most, second] = [...groups.values()].sort((a, b) => b.length - a.length);
	const majority = most && most.length !== second?.length ? most[0] : undefined;
	const newest = newestSerial(all.flatMap(({ outcome }) => outcome.serial ?? []));
	const lines = all.map((told): Line => ({
		...told,
		...beside(told, majority),
		behind: behind(told, newest)
	}));
	const silent = all.length - [...groups.values()].flat().length;
	return { lines, summary: sentence(lines, groups.size, silent), agree: groups.size === 1 && silent === 0 };
}

function beside(told: Told, majority: Told | undefined): Pick<Line, 'same' | 'difference'> {
	if (!told.outcome.status) return { same: undefined, difference: 'no answer' };
	if (!majority) return { same: undefined, difference: '' };
	if (saying(told.outcome) === saying(majority.outcome)) return { same: true, difference: '' };
	const [own, theirs] = [told.outcome, majority.outcome];
	const parts = [
		own.status !== theirs.status ? `says ${own.status}, not ${theirs.status}` : '',
		listed('also', missing(own.essence, theirs.essence)),
		listed('lacks', missing(theirs.essence, own.essence))
	];
	return { same: false, difference: parts.filter(Boolean).join('; ') };
}

function missing(from: readonly string[], other: readonly string[]): string[] {
	return from.filter((line) => !other.includes(line));
}

function listed(word: string, lines: string[]): string {
	return lines.length > 0 ? `${word} ${lines.join(', ')}` : '';
}

/** The newest of serial numbers, which wrap (RFC 1982). */
function newestSerial(serials: readonly number[]): number | undefined {
	return serials.reduce<number | undefined>(
		(newest, serial) => (newest === undefined || isNewer(serial, newest) ? serial : newest),
		undefined
	);
}

function isNewer(a: number, b: number): boolean {
	return a !== b && (a - b) >>> 0 < 2 ** 31;
}

function behind({ outcome }: Told, newest: number | undefined): string {
	const { serial } = outcome;
	if (newest === undefined || serial === null || serial === newest) return '';
	return `older than ${newest}`;
}

function sentence(lines: readonly Line[], answers: number, silent: number): string {
	const others = lines.filter(({ same }) => same === false).map(({ worker }) => worker);
	const missed = silent > 0 ? ` ${plural(silent, 'worker')} got no answer.` : '';
	const old = lines.filter((line) => line.behind).map(({ worker }) => worker);
	const serials =
		old.length > 0 ? ` ${names(old)} ${old.length === 1 ? 'sees' : 'see'} an older serial number.` : '';
	if (answers === 0) return 'Nobody got an answer.';
	const heard = lines.length - silent;
	if (answers === 1) {
		return `${silent > 0 ? `${heard} of ${lines.length} workers` : `All ${heard} workers`} get the same answer.${missed}${serials}`;
	}
	if (others.length === 0)
		return `There are ${answers} different answers, none of them given to most.${missed}${serials}`;
	const same = heard - others.length;
	return `${same} of ${lines.length} workers get the same answer; ${names(others)} ${others.length === 1 ? 'differs' : 'differ'}.${missed}${serials}`;
}

function names(workers: readonly string[]): string {
	const shown = workers.slice(0, 3).join(', ');
	return workers.length > 3 ? `${shown} and ${workers.length - 3} more` : shown;
}
