import { invalidate } from '$app/navigation';
import { navigating } from '$app/state';
import { untrack } from 'svelte';
import { live } from './live.svelte.ts';

/**
 * Watches the headers of all operations for a page that shows a list, from within an effect. What
 * changed between loading the page and opening the stream was told to nobody, so that the page
 * loads once more whenever the stream opens.
 */
export function watchList(): () => void {
	const stop = untrack(() => live.watchList());
	let loaded = untrack(() => live.opened);
	$effect(() => {
		// Loading again would stop the way to another page that has begun.
		if (live.opened <= loaded || navigating.to) return;
		loaded = live.opened;
		untrack(() => void invalidate('netwark:operations'));
	});
	return stop;
}
