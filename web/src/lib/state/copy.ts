import { toasts } from './toasts.svelte.ts';

/** Puts text on the clipboard, also over plain HTTP, where browsers hide the clipboard's own interface. */
export async function copyText(text: string, what: string) {
	try {
		if (navigator.clipboard) await navigator.clipboard.writeText(text);
		else if (!copyBySelection(text)) throw new Error('the browser refused');
		toasts.show(`${what} copied`);
	} catch (thrown) {
		toasts.failed('Could not copy', thrown);
	}
}

function copyBySelection(text: string): boolean {
	const area = document.createElement('textarea');
	area.value = text;
	area.setAttribute('readonly', '');
	area.className = 'fixed -left-full top-0';
	document.body.append(area);
	area.select();
	// The only way left in a page that was not loaded over TLS.
	const done = document.execCommand('copy');
	area.remove();
	return done;
}
