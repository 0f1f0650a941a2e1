import { error, redirect } from '@sveltejs/kit';
import { resolve } from '$app/paths';
import { newAddress } from '#lib/lookups/old-addresses.ts';
import type { PageLoad } from './$types';

export const load: PageLoad = ({ params }) => {
	const address = newAddress(params.old);
	if (address === undefined) {
		error(404, { title: 'There is no such page', message: 'No look-up has this name.' });
	}
	redirect(308, resolve(address.href as '/') + address.query);
};
