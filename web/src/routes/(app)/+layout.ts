import { redirect } from '@sveltejs/kit';
import { resolve } from '$app/paths';
import { api } from '#lib/api/client.ts';
import { door, guarded } from '#lib/state/guarded.ts';
import { session } from '#lib/state/session.svelte.ts';
import type { LayoutLoad } from './$types';

export const load: LayoutLoad = async ({ fetch, url, untrack }) => {
	const current = await guarded(
		untrack(() => new URL(url)),
		api(fetch).session()
	);
	session.current = current;
	if (!current.permissions.includes('operations:read')) {
		redirect(307, current.setup_required ? resolve('/setup') : untrack(() => door(url)));
	}
	return { session: current };
};
