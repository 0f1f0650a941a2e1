import { invalidate } from '$app/navigation';
import { untrack } from 'svelte';
import { live } from './live.svelte.ts';

/**
 * Watches the headers of all operations for a page that shows a list, from within an effect. What
 * changed between loading the page and opening the stream was told to nobody, so that the page
 * loads once more whenever the stream opens.
 */
export function watchList(): () => void {
	const stop = untrack(() => live.watchList());
	const before = untrack(() => live.opened);
	$effect(() => {
		if (live.opened > before) untrack(() => void invalidate('netwark:operations'));
	});
	return stop;
}
