import { tick } from 'svelte';

/** Where something is typed or chosen. */
const TYPED = ':is(input:not([type=radio], [type=checkbox]), select, textarea):not(:disabled)';

/**
 * Who opened this by a button goes on in its first field. What is given back takes them to the button again, to be called
 * when it is closed.
 */
export function enter(opened: HTMLElement): (() => void) | undefined {
	const opener = document.activeElement;
	if (!(opener instanceof HTMLButtonElement) || opened.contains(opener)) return undefined;
	opened.querySelector<HTMLElement>(TYPED)?.focus();
	return () =>
		void tick().then(() => {
			// They may have gone elsewhere meanwhile.
			if (document.activeElement === document.body) opener.focus();
		});
}

/** Goes to the first field that is wrong, also when it is folded away. */
export async function showWrong(form: HTMLElement): Promise<void> {
	await tick();
	const wrong = form.querySelector<HTMLElement>('[aria-invalid]');
	const folded = wrong?.closest('details');
	if (folded) folded.open = true;
	wrong?.focus();
}
