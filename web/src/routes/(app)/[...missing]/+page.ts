import { error } from '@sveltejs/kit';
import type { PageLoad } from './$types';

// Without this page, what is not there would be told outside the frame, without a way on.
export const load: PageLoad = ({ url }) => {
	error(404, { title: 'There is no such page', message: `Nothing is at ${url.pathname}.` });
};
