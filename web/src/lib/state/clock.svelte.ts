import { createSubscriber } from 'svelte/reactivity';

const every = (ms: number) =>
	createSubscriber((update) => {
		const timer = setInterval(update, ms);
		return () => clearInterval(timer);
	});
const second = every(1000);
const minute = every(60_000);

export const clock = {
	/** The time now; whatever reads it is drawn anew every second. */
	get now(): number {
		second();
		return Date.now();
	},
	/** The time now, for what changes with the day: whatever reads it is drawn anew every minute. */
	get minute(): number {
		minute();
		return Date.now();
	}
};
