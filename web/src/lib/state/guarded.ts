import { error, redirect } from '@sveltejs/kit';
import { resolve } from '$app/paths';
import { asProblem } from '../api/problem.ts';

/** Waits for what a page loads; a stranger is sent to the door, anything else becomes the error page. */
export async function guarded<T>(url: URL, loading: Promise<T>): Promise<T> {
	try {
		return await loading;
	} catch (thrown) {
		const problem = asProblem(thrown);
		if (problem.status === 401) redirect(307, door(url));
		const status = problem.status >= 400 && problem.status <= 599 ? problem.status : 503;
		error(status, { title: problem.title, message: problem.detail || problem.title });
	}
}

/** The sign-in page, with the way back. */
export function door(url: URL): string {
	const next = url.pathname + url.search;
	return next === resolve('/') ? resolve('/login') : resolve(`/login?next=${encodeURIComponent(next)}`);
}

/** A way back that stays on this host. */
export function wayBack(next: string | null): string {
	return next && /^\/(?![/\\])/.test(next) ? next : resolve('/');
}
