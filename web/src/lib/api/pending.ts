/** Parts of the API as the server is about to describe them; each leaves once the description has it. */
import type { components, paths } from './schema.d.ts';

type Schemas = components['schemas'];
type Id = { path: { id: string } };
type Answers<T> = { 200: { headers: object; content: { 'application/json': T } } };
type Body<T> = { content: { 'application/json': T } };
type Plain<T, P = object> = { parameters: P; responses: Answers<T> };
type Given<B, T, P = object> = { parameters: P; requestBody: Body<B>; responses: Answers<T> };

export type WorkerState = 'enrolled' | 'online' | 'draining' | 'offline' | 'revoked';

export interface Coordinates {
	latitude: number;
	longitude: number;
}

export interface SelfTest {
	what: string;
	passed: boolean;
	detail: string;
	takes_away: string[];
}

export interface ToolUsage {
	tool: string;
	month: string;
	bytes_sent: number;
	bytes_received: number;
}

export interface WorkerOverrides {
	name?: string;
	site?: string;
	location?: string;
	coordinates?: Coordinates;
	country?: string;
	asn?: number;
	tags?: string[];
	queues?: string[];
}

export interface WorkerMore {
	state: WorkerState;
	link: string;
	coordinates: Coordinates | null;
	country: string;
	asn: number | null;
	concurrency: number;
	load: number | null;
	spool_bytes: number;
	clock_offset_ms: number | null;
	self_test: SelfTest[];
	usage: ToolUsage[];
	usage_cap_bytes: number | null;
	overrides: WorkerOverrides;
	declared: WorkerOverrides | null;
	has_key: boolean;
	last_seen_at: string | null;
}

export type NewWorker = WorkerOverrides & { name: string };
export type WorkerChanges = { [Name in keyof WorkerOverrides]?: WorkerOverrides[Name] | null };

export interface MadeWorker {
	worker: Omit<Schemas['Worker'], keyof WorkerMore> & WorkerMore;
	token: string;
	commands: { shell: string; systemd: string; docker: string; compose: string };
}

export interface Pairing {
	code: string;
	expires_at: string;
}

export interface Event {
	id: string;
	at: string;
	severity: Schemas['Severity'];
	kind: string;
	worker_id: string | null;
	worker: string | null;
	text: string;
}

export interface NewQueue {
	queue: string;
	/** Its label. */
	name?: string;
	location?: string;
	broadcast?: boolean;
}

export type PendingPermission = 'workers:manage' | 'queues:manage' | 'events:read';

export interface PendingPaths {
	'/session/password': { post: Given<{ current: string; new: string }, undefined> };
	'/workers': { get: paths['/workers']['get']; post: Given<NewWorker, MadeWorker> };
	'/workers/pairings': { post: Given<NewWorker, Pairing> };
	'/workers/{id}': {
		get: Plain<unknown, Id>;
		patch: Given<WorkerChanges, unknown, Id>;
		delete: Plain<undefined, Id>;
	};
	'/workers/{id}/token': { post: Plain<MadeWorker, Id> };
	'/workers/{id}/revoke': { post: Plain<unknown, Id> };
	'/workers/{id}/drain': { post: Given<{ draining: boolean }, unknown, Id> };
	'/events': { get: Plain<Event[], { query?: Record<string, string | number> }> };
	'/management/backend/queues': {
		get: paths['/management/backend/queues']['get'];
		post: Given<NewQueue, unknown>;
	};
	'/management/backend/queues/{name}': {
		patch: Given<Omit<Partial<NewQueue>, 'queue'>, unknown, { path: { name: string } }>;
		delete: Plain<undefined, { path: { name: string } }>;
	};
}

export type AllPaths = Omit<paths, keyof PendingPaths> & PendingPaths;
