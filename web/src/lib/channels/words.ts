import type { Channel, Day, Delivery, DeliveryStatus, Hours, Subscription } from '../api/types.ts';
import { plural } from '../format/number.ts';

export type ChannelState = 'works' | 'failing' | 'failed' | 'unused';

/** How a channel is doing: by its latest tries. */
export function stateOf({ failing, failures, delivered_at }: Channel): ChannelState {
	if (failing) return 'failing';
	if (failures > 0) return 'failed';
	return delivered_at ? 'works' : 'unused';
}

export const deliveryWords: Record<DeliveryStatus, string> = {
	gathering: 'Gathering',
	due: 'Being sent',
	held: 'Held by quiet hours',
	delivered: 'Delivered',
	dead: 'Given up'
};

/** True for what can be tried now: what was given up, and what waits for another try. A test is made anew instead. */
export function canRetry({ test, status, attempts }: Delivery): boolean {
	return !test && (status === 'dead' || status === 'held' || (status === 'due' && attempts > 0));
}

export const dayWords: Record<Day, string> = {
	mon: 'Mon',
	tue: 'Tue',
	wed: 'Wed',
	thu: 'Thu',
	fri: 'Fri',
	sat: 'Sat',
	sun: 'Sun'
};

/** Hours in a sentence: `Mon, Tue 22:00 to 07:00`. */
export function hoursWords({ days, from, to }: Hours): string {
	const named = (days ?? []).map((day) => dayWords[day]);
	return [named.join(', '), `${from} to ${to}`].filter(Boolean).join(' ');
}

/** What a subscription wants to hear of, in a sentence. */
export function rulesWords(subscription: Subscription, kinds: Record<string, string>): string {
	const { severities, networks, devices, workers, text, hours, quiet_hours } = subscription;
	const about = [
		networks.length > 0 ? plural(networks.length, 'network') : '',
		devices.length > 0 ? plural(devices.length, 'device') : '',
		workers.length > 0 ? plural(workers.length, 'worker') : ''
	].filter(Boolean);
	return [
		severities.length > 0 ? severities.join(', ') : 'every severity',
		subscription.kinds.map((kind) => kinds[kind] ?? kind).join(', '),
		about.length > 0 ? `about ${about.join(' and ')}` : '',
		text ? `with “${text}”` : '',
		hours ? hoursWords(hours) : '',
		quiet_hours ? `quiet ${hoursWords(quiet_hours)}` : ''
	]
		.filter(Boolean)
		.join('; ');
}
