import type { GeoAnswer, GeoSource, Known, Parts } from '../api/types.ts';
import { placeWords } from './geoip/words.ts';
import { meaningOf, notesOf } from './vendor.ts';

/** One line of a short answer. */
export interface Fact {
	title: string;
	text: string;
	/** What belongs to it, in small print. */
	note?: string;
}

const MOST_ADDRESSES = 4;

type Named = NonNullable<NonNullable<Parts['system']>['data']>;

/** Who runs an autonomous system: as a file says, else as its registry calls it, where that was asked. */
export function systemName(system: Named | null | undefined, whois: Parts['whois']) {
	const record = whois?.data?.record;
	return system?.name ?? record?.as_name ?? record?.organisation ?? undefined;
}

/** What a short answer says; what there is not, or could not be found out, is left out. */
export function factsOf({ parts }: Pick<Known, 'parts'>): Fact[] {
	const facts: Fact[] = [];
	const ptr = parts.ptr?.data;
	if (ptr) {
		const note = ptr.confirmed === false ? { note: 'not confirmed by the name' } : {};
		facts.push({ title: 'Name', text: ptr.name, ...note });
	}
	const geoip = parts.geoip?.data;
	if (geoip?.asn) {
		facts.push({ title: 'AS', text: `AS${geoip.asn}`, ...(geoip.as_name && { note: geoip.as_name }) });
	}
	if (geoip?.place) {
		facts.push({ title: 'Place', text: placeWords(geoip.place), ...of(geoip.sources) });
	}
	const addresses = parts.addresses?.data;
	if (addresses) {
		const shown = addresses.slice(0, MOST_ADDRESSES).map(({ address }) => address);
		const more = addresses.length - shown.length;
		facts.push({ title: 'Addresses', text: shown.join(', '), ...(more > 0 && { note: `and ${more} more` }) });
	}
	const announced = new Map<number, GeoAnswer>();
	for (const { geoip } of addresses ?? []) if (geoip?.asn) announced.set(geoip.asn, geoip);
	if (announced.size > 0) {
		const text = [...announced.values()].map(({ asn, as_name }) => `AS${asn} ${as_name ?? ''}`.trim());
		facts.push({ title: 'AS', text: text.join(', '), ...of([...announced.values()][0]?.sources) });
	}
	const vendor = parts.vendor?.data;
	if (vendor?.orgname) facts.push({ title: 'Vendor', text: vendor.orgname });
	if (vendor) {
		const said = [meaningOf(vendor), ...notesOf(vendor)].filter(Boolean);
		if (said.length > 0) facts.push({ title: 'What it is', text: said.join('. ') });
	}
	const system = parts.system?.data;
	const name = systemName(system, parts.whois);
	if (name) facts.push({ title: 'Name', text: name, ...of(system?.source ? [system.source] : []) });
	if (system?.special) {
		facts.push({ title: 'Kept for', text: system.special.name, note: system.special.rfc });
	}
	const special = parts.special?.data;
	if (special) facts.push({ title: 'Kind', text: special.name, note: `${special.block}, ${special.rfc}` });
	return facts;
}

/** Whose the data is: whoever shows what a file says must say so. */
function of(sources: GeoSource[] = []): Pick<Fact, 'note'> {
	const note = sources[0]?.attribution?.text;
	return note ? { note } : {};
}
