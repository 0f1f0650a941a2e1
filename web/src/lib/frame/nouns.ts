import BellRing from '@lucide/svelte/icons/bell-ring';
import Activity from '@lucide/svelte/icons/activity';
import Gauge from '@lucide/svelte/icons/gauge';
import Megaphone from '@lucide/svelte/icons/megaphone';
import Inbox from '@lucide/svelte/icons/inbox';
import KeyRound from '@lucide/svelte/icons/key-round';
import ListChecks from '@lucide/svelte/icons/list-checks';
import MonitorSmartphone from '@lucide/svelte/icons/monitor-smartphone';
import Network from '@lucide/svelte/icons/network';
import Search from '@lucide/svelte/icons/search';
import ScrollText from '@lucide/svelte/icons/scroll-text';
import Server from '@lucide/svelte/icons/server';
import ChartColumn from '@lucide/svelte/icons/chart-column';
import Users from '@lucide/svelte/icons/users';
import type { Component } from 'svelte';
import type { Pathname } from '$app/types';
import type { Permission } from '../api/types.ts';

/** A noun of the navigation; a new page is one line here. */
export interface Noun {
	title: string;
	/** TypeScript takes a union apart up to 25 members, so who resolves it says it is one of them. */
	href: Pathname;
	icon: Component<{ size?: number; 'aria-hidden'?: 'true' }>;
	permission: Permission;
	/** Further words the command bar finds it by. */
	words: string;
	/** Stands behind "More" where there is little room. */
	minor?: true;
}

export const nouns: Noun[] = [
	{
		title: 'Overview',
		href: '/',
		icon: Gauge,
		permission: 'operations:read',
		words: 'home start first steps'
	},
	{
		title: 'Operations',
		href: '/operations',
		icon: Activity,
		permission: 'operations:read',
		words: 'ping mtr results history'
	},
	{
		title: 'Look-ups',
		href: '/lookups',
		icon: Search,
		permission: 'lookups:read',
		words: 'whois dns address prefix name as number mac resource'
	},
	{
		title: 'Networks',
		href: '/networks',
		icon: Network,
		permission: 'watch:read',
		words: 'watch sweep scan prefix subnet vlan',
		minor: true
	},
	{
		title: 'Devices',
		href: '/devices',
		icon: MonitorSmartphone,
		permission: 'watch:read',
		words: 'hosts inventory mac presence up down'
	},
	{
		title: 'Access list',
		href: '/access-list',
		icon: ListChecks,
		permission: 'watch:read',
		words: 'allow deny known mac white black',
		minor: true
	},
	{
		title: 'Statistics',
		href: '/statistics',
		icon: ChartColumn,
		permission: 'watch:read',
		words: 'events per day vendors newcomers',
		minor: true
	},
	{
		title: 'Channels',
		href: '/channels',
		icon: Megaphone,
		permission: 'channels:read',
		words: 'notices mail webhook slack telegram pager syslog deliveries',
		minor: true
	},
	{
		title: 'Subscriptions',
		href: '/subscriptions',
		icon: BellRing,
		permission: 'subscriptions:read',
		words: 'notices alerts notifications quiet hours',
		minor: true
	},
	{
		title: 'Workers',
		href: '/workers',
		icon: Server,
		permission: 'workers:read',
		words: 'vantage points capabilities map enrol'
	},
	{
		title: 'Queues',
		href: '/queues',
		icon: Inbox,
		permission: 'workers:read',
		words: 'direct broadcast addresses',
		minor: true
	},
	{
		title: 'Events',
		href: '/events',
		icon: ScrollText,
		permission: 'events:read',
		words: 'timeline log history warnings'
	},
	{
		title: 'Users',
		href: '/users',
		icon: Users,
		permission: 'users:manage',
		words: 'people accounts roles password',
		minor: true
	},
	{
		title: 'Tokens',
		href: '/tokens',
		icon: KeyRound,
		permission: 'tokens:manage',
		words: 'api secrets programs',
		minor: true
	}
];

/** True when the page at `path` belongs to the noun. */
export function belongs(noun: Noun, path: string): boolean {
	return noun.href === '/' ? path === '/' : path === noun.href || path.startsWith(`${noun.href}/`);
}
