import { createSubscriber } from 'svelte/reactivity';

const subscribe = createSubscriber((update) => {
	const timer = setInterval(update, 1000);
	return () => clearInterval(timer);
});

/** The time now; whatever reads it is drawn anew every second. */
export const clock = {
	get now(): number {
		subscribe();
		return Date.now();
	}
};
