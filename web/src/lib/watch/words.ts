import type { AccessAction, NetworkStatus, Presence, Severity, Access } from '../api/types.ts';

export const statusWords: Record<NetworkStatus, string> = {
	never_deployed: 'Never deployed',
	active: 'Active',
	stopped: 'Stopped',
	error: 'Error'
};

export const accessWords: Record<Access, string> = {
	worker: 'Worker',
	known: 'Known',
	unknown: 'Unknown',
	denied: 'Denied'
};

export const accessMeanings: Record<Access, string> = {
	worker: 'The worker that watches.',
	known: 'The access list allows it.',
	unknown: 'The access list does not speak of it.',
	denied: 'The access list denies it.'
};

export const presenceWords: Record<Presence, string> = { up: 'Up', down: 'Down', unknown: 'Not known' };

export const presenceMeanings: Record<Presence, string> = {
	up: 'It was seen.',
	down: 'It was looked for and not seen for longer than the grace time.',
	unknown: 'Nobody looks: its network is stopped, or no sweep came for a while.'
};

export const actionWords: Record<AccessAction, string> = { allow: 'Allow', deny: 'Deny' };

export const severityWords: Record<Severity, string> = {
	ok: 'OK',
	info: 'Info',
	warning: 'Warning',
	alert: 'Alert'
};

/** What the kinds of events are called. */
export const kindWords: Record<string, string> = {
	device_new: 'New device',
	device_proposed: 'New device, perhaps a known one',
	device_up: 'Device up',
	device_down: 'Device down',
	mac_changed: 'Address is another device’s',
	flip_flop: 'Address went back',
	address_reused: 'Old address used again',
	address_conflict: 'Address conflict',
	gateway_changed: 'Gateway changed',
	rogue_dhcp: 'Rogue DHCP server',
	rogue_router: 'Rogue router',
	network_started: 'Network started',
	network_stopped: 'Network stopped',
	network_deleted: 'Network deleted',
	worker_online: 'Worker online',
	worker_offline: 'Worker offline',
	worker_enrolled: 'Worker enrolled',
	worker_renamed: 'Worker renamed',
	worker_changed: 'Worker changed',
	worker_drained: 'Worker drained',
	worker_resumed: 'Worker takes work again',
	worker_token_replaced: 'Worker’s token replaced',
	worker_revoked: 'Worker revoked',
	worker_deleted: 'Worker deleted',
	spool_gap: 'Reports of a worker lost',
	channel_failing: 'Channel fails',
	channel_ok: 'Channel works again',
	data_updated: 'Look-up data updated',
	data_update_failed: 'Look-up data not updated'
};

/** The situations whose severity can be set, with what is usual. */
export const situations = [
	{ key: 'denied_up', title: 'Denied device up', usual: 'alert' },
	{ key: 'denied_down', title: 'Denied device down', usual: 'alert' },
	{ key: 'unknown_up', title: 'Unknown device up', usual: 'warning' },
	{ key: 'unknown_down', title: 'Unknown device down', usual: 'warning' },
	{ key: 'known_up', title: 'Known device up', usual: 'info' },
	{ key: 'known_down', title: 'Known device down', usual: 'info' },
	{ key: 'proposed', title: 'Newcomer that may be a known device', usual: 'warning' },
	{ key: 'mac_changed', title: 'Address is another device’s now', usual: 'warning' },
	{ key: 'flip_flop', title: 'Address went back', usual: 'warning' },
	{ key: 'address_reused', title: 'Old address used again', usual: 'info' },
	{ key: 'address_conflict', title: 'Two devices with one address', usual: 'alert' },
	{ key: 'gateway_changed', title: 'Gateway changed', usual: 'alert' },
	{ key: 'rogue_dhcp', title: 'Rogue DHCP server', usual: 'alert' },
	{ key: 'rogue_router', title: 'Rogue router', usual: 'alert' }
] as const;
