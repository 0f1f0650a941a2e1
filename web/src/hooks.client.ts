import type { HandleClientError } from '@sveltejs/kit';
import { isMissingPart } from '#lib/state/parts.ts';

export const handleError: HandleClientError = ({ error, status, message }) => {
	if (isMissingPart(error))
		return {
			title: 'This page could not be loaded',
			message: 'The server cannot be reached, or has a newer version of it.',
			reload: true
		};
	console.error(error);
	return { title: status === 404 ? 'There is no such page' : 'Something failed', message };
};
