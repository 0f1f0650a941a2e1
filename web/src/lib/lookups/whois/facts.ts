import { plural } from '../../format/number.ts';
import type { WhoisRecord, WhoisStep } from '../../api/types.ts';

/** One thing that registries say. */
export interface Fact {
	label: string;
	values: string[];
	/** How it is shown: a time with its age, a mail address, a page, or text that machines read. */
	as?: 'time' | 'mail' | 'page' | 'code';
	/** What a time means for somebody who reads it now. */
	note?: string;
	/** The note is a warning. */
	warn?: boolean;
}

export interface Group {
	title: string;
	facts: Fact[];
}

const DAY = 24 * 3600 * 1000;
/** A domain that expires sooner than this is warned of, in days. */
const SOON = 30;

/** A stretch of time in the largest unit that says enough: `28 years`, `5 months`, `3 days`. */
export function span(milliseconds: number): string {
	const days = Math.floor(Math.abs(milliseconds) / DAY);
	if (days < 1) return 'less than a day';
	if (days < 60) return plural(days, 'day');
	if (days < 730) return plural(Math.round(days / 30.44), 'month');
	return plural(Math.floor(days / 365.25), 'year');
}

/** When something expires, in words. */
export function expiry(time: string, now: number): { note: string; warn: boolean } {
	const left = Date.parse(time) - now;
	if (Number.isNaN(left)) return { note: '', warn: false };
	if (left < 0) return { note: `expired ${span(left)} ago`, warn: true };
	return { note: `in ${span(left)}`, warn: left < SOON * DAY };
}

function age(time: string, now: number): string {
	const since = now - Date.parse(time);
	return Number.isNaN(since) || since < 0 ? '' : `${span(since)} ago`;
}

/** What a record says, in groups; what it does not say is left out. */
export function groups(record: WhoisRecord, now: number): Group[] {
	const text = (label: string, value: string | undefined | null, as?: Fact['as']): Fact[] =>
		value ? [{ label, values: [value], as }] : [];
	const list = (label: string, values: string[] | undefined, as?: Fact['as']): Fact[] =>
		values && values.length > 0 ? [{ label, values, as }] : [];
	const time = (label: string, value: string | undefined | null): Fact[] =>
		value ? [{ label, values: [value], as: 'time', note: age(value, now) }] : [];
	const all: Group[] = [
		{
			title: 'Network',
			facts: [
				...text('Name', record.network_name, 'code'),
				...text('Range', record.range, 'code'),
				...list('Prefixes', record.prefixes, 'code'),
				...text('AS number', record.as_number, 'code'),
				...text('AS name', record.as_name, 'code'),
				...text('Registry', record.rir)
			]
		},
		{
			title: 'Holder',
			facts: [
				...text('Organisation', record.organisation),
				...text('Registrant', record.registrant),
				...text('Country', record.country)
			]
		},
		{
			title: 'Registrar',
			facts: [
				...text('Name', record.registrar),
				...text('IANA number', record.registrar_id),
				...text('Page', record.registrar_url, 'page')
			]
		},
		{
			title: 'Dates',
			facts: [
				...time('Created', record.created),
				...text('Created before', record.created_before),
				...time('Changed', record.changed),
				...(record.expires
					? [
							{
								label: 'Expires',
								values: [record.expires],
								as: 'time' as const,
								...expiry(record.expires, now)
							}
						]
					: [])
			]
		},
		{
			title: 'Delegation',
			facts: [
				...list('Name servers', record.name_servers, 'code'),
				...text('DNSSEC', record.dnssec && (record.dnssec === 'signed' ? 'Signed' : 'Not signed')),
				...list('Status', record.status)
			]
		},
		{
			title: 'Abuse contact',
			facts: [...text('Mail', record.abuse_email, 'mail'), ...text('Telephone', record.abuse_phone)]
		}
	];
	return all.filter(({ facts }) => facts.length > 0);
}

/** What each outcome of a step is called. */
export const stepWords: Record<WhoisStep['outcome'], string> = {
	found: 'Answered',
	referral: 'Referred on',
	no_match: 'Not there',
	rate_limited: 'Too often',
	refused: 'Refused',
	unclear: 'Not understood',
	failed: 'Failed'
};

/** The text of an answer for reading: JSON with a line for each value. */
export function readable(step: Pick<WhoisStep, 'protocol' | 'raw'>): string {
	if (step.protocol !== 'rdap') return step.raw;
	try {
		return JSON.stringify(JSON.parse(step.raw), null, 2);
	} catch {
		return step.raw;
	}
}

/** The address of a page as it may be linked: only http and https. */
export function pageAddress(url: string): string | undefined {
	const whole = /^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `http://${url}`;
	try {
		const parsed = new URL(whole);
		return ['http:', 'https:'].includes(parsed.protocol) ? parsed.href : undefined;
	} catch {
		return undefined;
	}
}
