import type { Pathname } from '$app/types';
import type { Permission } from '../api/types.ts';

/** A page of look-ups; a new one is one line here. The tabs and the command bar take it from there. */
export interface LookupPage {
	title: string;
	href: Pathname;
	permission: Permission;
	/** The word of the command bar that leads there with what stands behind it. */
	command?: string;
	/** Further words the command bar finds it by. */
	words: string;
}

export const pages: LookupPage[] = [
	{
		title: 'Anything',
		href: '/lookups',
		permission: 'lookups:read',
		words: 'look up address prefix name as number mac url resource'
	},
	{
		title: 'IP calculator',
		href: '/lookups/ip-calc',
		permission: 'lookups:read',
		command: 'ipcalc',
		words: 'ip calculator subnet split summarise netmask wildcard cidr range eui-64'
	},
	{
		title: 'MAC vendors',
		href: '/lookups/mac-oui',
		permission: 'lookups:read',
		command: 'oui',
		words: 'mac vendor oui ieee manufacturer organisation'
	},
	{
		title: 'DNS',
		href: '/lookups/dns',
		permission: 'lookups:ask',
		words: 'name server record resolve mx txt ptr dnssec trace dig'
	},
	{
		title: 'WHOIS',
		href: '/lookups/whois',
		permission: 'lookups:ask',
		command: 'whois',
		words: 'whois rdap registry registrar domain owner holder abuse expiry'
	},
	{
		title: 'GeoIP',
		href: '/lookups/geoip',
		permission: 'lookups:read',
		command: 'geoip',
		words: 'place city country map autonomous system as'
	},
	{
		title: 'Sources',
		href: '/lookups/sources',
		permission: 'lookups:read',
		words: 'updates data age fetch ieee'
	}
];
