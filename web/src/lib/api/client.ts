import { Problem, problemOf } from './problem.ts';
import type * as t from './types.ts';

/** Prefix of every path of the API. */
export const BASE = '/api/v1';

type Fetch = typeof fetch;
type Query = Record<string, string | number | undefined>;

function address(path: string, query: Query = {}): string {
	const search = new URLSearchParams();
	for (const [key, value] of Object.entries(query)) {
		if (value !== undefined && value !== '') search.set(key, String(value));
	}
	const text = search.toString();
	return `${BASE}${path}${text && `?${text}`}`;
}

async function send(fetcher: Fetch, method: string, url: string, body?: unknown, headers: HeadersInit = {}) {
	const init: RequestInit = { method, headers: { Accept: 'application/json', ...headers } };
	if (body !== undefined) {
		init.body = JSON.stringify(body);
		init.headers = { ...init.headers, 'Content-Type': 'application/json' };
	} else if (method !== 'GET') {
		init.headers = { ...init.headers, 'Content-Type': 'application/json' };
	}
	let response: Response;
	try {
		response = await fetcher(url, init);
	} catch {
		throw new Problem(0, 'No answer', 'The server does not answer. Is it running, and is the network up?');
	}
	if (!response.ok) throw await problemOf(response);
	return response;
}

/** One page of a list, with the number of all its rows. */
export interface Page<T> {
	rows: T[];
	total: number;
}

/** What a list of operations is narrowed to. */
export interface OperationFilter {
	status?: string;
	type?: string;
	target?: string;
	created_after?: string;
	created_before?: string;
	page?: number;
	per_page?: number;
}

/** The API, spoken with the given `fetch`; a load function hands in its own. */
export function api(fetcher: Fetch = fetch) {
	const get = async <T>(path: string, query?: Query): Promise<T> =>
		(await send(fetcher, 'GET', address(path, query))).json() as Promise<T>;
	const change = async <T>(
		method: string,
		path: string,
		body?: unknown,
		headers?: HeadersInit
	): Promise<T> => {
		const response = await send(fetcher, method, address(path), body, headers);
		return (response.status === 204 ? undefined : await response.json()) as T;
	};
	return {
		session: () => get<t.Session>('/session'),
		signIn: (name: string, password: string) => change<t.Session>('POST', '/session', { name, password }),
		signOut: () => change<void>('DELETE', '/session'),
		setUp: (code: string, name: string, password: string) =>
			change<t.Session>('POST', '/setup', { code, name, password }),

		status: () => get<t.ServerStatus>('/status'),
		tools: () => get<t.ToolInfo[]>('/tools'),
		workers: () => get<t.Worker[]>('/workers', { per_page: 1000 }),
		queues: () => get<t.Queue[]>('/management/backend/queues', { per_page: 1000 }),

		async operations(filter: OperationFilter = {}): Promise<Page<t.Operation>> {
			const response = await send(fetcher, 'GET', address('/operations', { ...filter }));
			const rows = (await response.json()) as t.Operation[];
			const total = Number(response.headers.get('X-Total-Count') ?? rows.length);
			return { rows, total };
		},
		operation: (id: string) => get<t.OperationDetail>(`/operations/${encodeURIComponent(id)}`),
		create: (operation: t.NewOperation, key = randomKey()) =>
			change<{ operation_id: string }>('POST', '/operations', operation, { 'Idempotency-Key': key }),
		cancel: (id: string) => change<t.OperationDetail>('POST', `/operations/${encodeURIComponent(id)}/cancel`),
		async results(id: string, kind: 'json' | 'csv' | 'txt'): Promise<string> {
			const accept = { Accept: '*/*' };
			return (await send(fetcher, 'GET', exportAddress(id, kind), undefined, accept)).text();
		},

		users: () => get<t.User[]>('/users', { per_page: 1000 }),
		addUser: (name: string, role: t.Role, password: string) =>
			change<t.User>('POST', '/users', { name, role, password }),
		changeUser: (id: string, changes: { role?: t.Role; password?: string }) =>
			change<t.User>('PATCH', `/users/${id}`, changes),
		removeUser: (id: string) => change<void>('DELETE', `/users/${id}`),
		tokens: () => get<t.Token[]>('/tokens', { per_page: 1000 }),
		addToken: (name: string, role: t.Role) =>
			change<t.Token & { secret: string }>('POST', '/tokens', { name, role }),
		removeToken: (id: string) => change<void>('DELETE', `/tokens/${id}`)
	};
}

/** Where the results of an operation can be downloaded. */
export function exportAddress(id: string, kind: 'json' | 'csv' | 'txt'): string {
	return address(`/operations/${encodeURIComponent(id)}/results.${kind}`);
}

/** 128 random bits; `crypto.randomUUID` is hidden from pages that came over plain HTTP. */
function randomKey(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
