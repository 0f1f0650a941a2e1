import createClient from 'openapi-fetch';
import { readEvents } from './events.ts';
import { Problem, problemOf } from './problem.ts';
import { root } from './root.ts';
import type { paths } from './schema.d.ts';
import type * as t from './types.ts';

/** Prefix of every path of the API. */
export const BASE = `${root}/api/v1`;

/** One page of a list, with the number of all its rows. */
export interface Page<T> {
	rows: T[];
	total: number;
}

/** What a list of operations is narrowed to; an empty text is no filter. */
export interface OperationFilter {
	status?: string;
	type?: string;
	target?: string;
	page?: number;
	per_page?: number;
}

/** What the timeline is narrowed to; an empty text is no filter. */
export interface EventFilter {
	worker?: string;
	network?: string;
	device?: string;
	kind?: string;
	q?: string;
	acknowledged?: string;
	severity?: string;
	/** Only what is older than the event of this id. */
	before?: string;
	/** Only what came after the event of this id, or a little before. */
	came_after?: string;
	per_page?: number;
}

/** Which devices are listed; an empty text is no filter. */
export interface DeviceFilter {
	network?: string;
	access?: string;
	presence?: string;
	type?: string;
	vendor?: string;
	tag?: string;
	q?: string;
	sort?: string;
	descending?: string;
	page?: number;
	per_page?: number;
}

/** Which entries of the access list are shown; an empty text is no filter. */
export interface AccessFilter {
	network?: string;
	action?: string;
	q?: string;
	page?: number;
	per_page?: number;
}

/** Who is told what is known about something. */
export interface LookUpListener {
	subject: (subject: t.Subject) => void;
	/** Called with one part at a time. */
	part: (part: t.Parts) => void;
}

/** How a network is cut: by one of these. */
export interface SplitBy {
	/** The prefix length of all parts. */
	prefix?: string;
	/** How many parts of one size there are at least. */
	parts?: string;
	/** Numbers of hosts, with commas. */
	hosts?: string;
}

/** Which assignments of MAC addresses are listed. */
export interface MacFilter {
	/** Words of the organisation's name. */
	q?: string;
	/** The digits an assignment begins with. */
	assignment?: string;
	page: number;
	per_page: number;
}

/** A question to name servers; an empty text leaves the default. */
export interface DnsQuery {
	q: string;
	type?: string;
	server?: string;
	transport?: t.Transport;
	dnssec?: boolean;
	trace?: boolean;
}

/** Lists that people read as a whole, at the most the API gives at once. */
const ALL = { params: { query: { per_page: 1000 } } };

/** The API, spoken with the given `fetch`; a load function hands in its own. */
export function api(fetcher: typeof fetch = fetch) {
	const client = createClient<paths>({
		baseUrl: location.origin + BASE,
		fetch: (request) => fetcher(request)
	});
	const at = (id: string) => ({ params: { path: { id } } });
	return {
		session: () => taken<t.Session>(client.GET('/session')),
		signIn: (name: string, password: string) =>
			taken<t.Session>(client.POST('/session', { body: { name, password } })),
		signOut: () => taken<undefined>(client.DELETE('/session')),
		changePassword: (current: string, next: string) =>
			taken<undefined>(client.POST('/session/password', { body: { current, new: next } })),
		setUp: (code: string, name: string, password: string) =>
			taken<t.Session>(client.POST('/setup', { body: { code, name, password } })),

		status: () => taken<t.ServerStatus>(client.GET('/status')),
		tools: () => taken<t.ToolInfo[]>(client.GET('/tools')),
		workers: () => taken<t.Worker[]>(client.GET('/workers')),
		worker: (id: string) => taken<t.Worker>(client.GET('/workers/{id}', at(id))),
		addWorker: (worker: t.NewWorker) => taken<t.MadeWorker>(client.POST('/workers', { body: worker })),
		addPairing: (worker: t.NewWorker) => taken<t.Pairing>(client.POST('/workers/pairings', { body: worker })),
		changeWorker: (id: string, changes: t.WorkerChanges) =>
			taken<t.Worker>(
				client.PATCH('/workers/{id}', { ...at(id), body: changes as Required<t.WorkerChanges> })
			),
		rotateWorker: (id: string) => taken<t.MadeWorker>(client.POST('/workers/{id}/token', at(id))),
		drainWorker: (id: string, draining: boolean) =>
			taken<unknown>(client.POST('/workers/{id}/drain', { ...at(id), body: { draining } })),
		revokeWorker: (id: string) => taken<unknown>(client.POST('/workers/{id}/revoke', at(id))),
		removeWorker: (id: string) => taken<undefined>(client.DELETE('/workers/{id}', at(id))),
		events: (filter: EventFilter = {}) =>
			taken<t.Event[]>(client.GET('/events', { params: { query: filled(filter) } })),

		acknowledge: (ids: string[], acknowledged = true) =>
			taken<{ changed: number }>(client.POST('/events/acknowledge', { body: { ids, acknowledged } })),

		networks: () => taken<t.Network[]>(client.GET('/networks')),
		networkOffers: () => taken<t.NetworkOffer[]>(client.GET('/networks/offers')),
		dismissOffer: (worker_id: string, prefixes: string[], dismissed: boolean) =>
			taken<undefined>(client.POST('/networks/offers/dismiss', { body: { worker_id, prefixes, dismissed } })),
		network: (id: string) => taken<t.Network>(client.GET('/networks/{id}', at(id))),
		addNetwork: (network: t.NetworkFields) =>
			taken<t.Network>(client.POST('/networks', { body: network as Required<t.NetworkFields> })),
		changeNetwork: (id: string, changes: t.NetworkFields) =>
			taken<t.Network>(
				client.PATCH('/networks/{id}', { ...at(id), body: changes as Required<t.NetworkFields> })
			),
		startNetwork: (id: string) => taken<t.Network>(client.POST('/networks/{id}/start', at(id))),
		stopNetwork: (id: string) => taken<t.Network>(client.POST('/networks/{id}/stop', at(id))),
		sweepNow: (id: string) => taken<{ worker: string }>(client.POST('/networks/{id}/sweeps', at(id))),
		sweeps: (id: string, per_page = 20) =>
			taken<t.Sweep[]>(
				client.GET('/networks/{id}/sweeps', { params: { path: { id }, query: { per_page } } })
			),
		removeNetwork: (id: string, how: { dry_run?: boolean; keep_history?: boolean }) =>
			taken<t.DeletedNetwork>(client.DELETE('/networks/{id}', { params: { path: { id }, query: how } })),
		plannedAddresses: (id: string, prefix: string) =>
			taken<t.PlannedAddress[]>(
				client.GET('/networks/{id}/addresses', { params: { path: { id }, query: { prefix } } })
			),

		async devices(filter: DeviceFilter = {}): Promise<Page<t.Device>> {
			const { rows, headers } = await withHeaders(
				client.GET('/devices', { params: { query: filled(filter) } })
			);
			return { rows: rows as t.Device[], total: Number(headers.get('X-Total-Count') ?? rows.length) };
		},
		deviceTypes: () => taken<string[]>(client.GET('/devices/types')),
		device: (id: string) => taken<t.DeviceDetail>(client.GET('/devices/{id}', at(id))),
		changeDevice: (id: string, changes: t.DeviceChanges) =>
			taken<t.DeviceDetail>(client.PATCH('/devices/{id}', { ...at(id), body: changes as never })),
		removeDevice: (id: string) => taken<undefined>(client.DELETE('/devices/{id}', at(id))),
		deviceHistory: (id: string) => taken<t.DeviceChange[]>(client.GET('/devices/{id}/history', at(id))),
		devicePresence: (id: string, since: string) =>
			taken<t.PresenceSession[]>(
				client.GET('/devices/{id}/presence', { params: { path: { id }, query: { since, per_page: 1000 } } })
			),
		mergeDevices: (id: string, devices: string[]) =>
			taken<t.DeviceDetail>(client.POST('/devices/{id}/merge', { ...at(id), body: { devices } })),
		splitDevice: (id: string, interfaces: string[]) =>
			taken<t.DeviceDetail>(client.POST('/devices/{id}/split', { ...at(id), body: { interfaces } })),
		setDeviceAccess: (id: string, action: t.AccessAction | null) =>
			taken<t.DeviceDetail>(client.POST('/devices/{id}/access', { ...at(id), body: { action } as never })),
		dismissProposal: (id: string, proposal: string) =>
			taken<undefined>(
				client.DELETE('/devices/{id}/proposals/{proposal}', { params: { path: { id, proposal } } })
			),

		async accessList(filter: AccessFilter = {}): Promise<Page<t.AccessEntry>> {
			const { rows, headers } = await withHeaders(
				client.GET('/access-list', { params: { query: filled(filter) } })
			);
			return { rows: rows as t.AccessEntry[], total: Number(headers.get('X-Total-Count') ?? rows.length) };
		},
		addAccess: (entry: t.AccessFields) =>
			taken<t.AccessEntry>(client.POST('/access-list', { body: entry as never })),
		changeAccess: (id: string, changes: t.AccessFields) =>
			taken<t.AccessEntry>(client.PATCH('/access-list/{id}', { ...at(id), body: changes as never })),
		removeAccess: (id: string) => taken<undefined>(client.DELETE('/access-list/{id}', at(id))),
		importAccess: (csv: string, dry_run: boolean) =>
			taken<t.Imported>(
				client.POST('/access-list/import', {
					params: { query: { dry_run } },
					body: csv,
					bodySerializer: (text) => text,
					headers: { 'Content-Type': 'text/csv' }
				})
			),

		eventStatistics: (range: { from?: string; to?: string; network?: string }) =>
			taken<t.EventStatistics>(client.GET('/stats/events', { params: { query: filled(range) } })),
		deviceStatistics: (range: { from?: string; to?: string }) =>
			taken<t.DeviceStatistics>(client.GET('/stats/devices', { params: { query: filled(range) } })),
		presenceStatistics: (range: { from?: string; to?: string; network?: string }) =>
			taken<t.PresenceStatistics>(client.GET('/stats/presence', { params: { query: filled(range) } })),

		channels: () => taken<t.Channel[]>(client.GET('/channels')),
		channel: (id: string) => taken<t.Channel>(client.GET('/channels/{id}', at(id))),
		addChannel: (channel: t.ChannelFields) =>
			taken<t.Channel>(client.POST('/channels', { body: channel as never })),
		changeChannel: (id: string, changes: t.ChannelFields) =>
			taken<t.Channel>(client.PATCH('/channels/{id}', { ...at(id), body: changes as never })),
		removeChannel: (id: string) => taken<undefined>(client.DELETE('/channels/{id}', at(id))),
		testChannel: (id: string) => taken<t.Delivery>(client.POST('/channels/{id}/test', at(id))),
		deliveries: (filter: { channel?: string; subscription?: string; status?: string }) =>
			taken<t.Delivery[]>(client.GET('/deliveries', { params: { query: filled(filter) } })),
		retryDelivery: (id: string) => taken<t.Delivery>(client.POST('/deliveries/{id}/retry', at(id))),
		subscriptions: () => taken<t.Subscription[]>(client.GET('/subscriptions')),
		subscription: (id: string) => taken<t.Subscription>(client.GET('/subscriptions/{id}', at(id))),
		addSubscription: (subscription: t.SubscriptionFields) =>
			taken<t.Subscription>(client.POST('/subscriptions', { body: subscription as never })),
		changeSubscription: (id: string, changes: t.SubscriptionFields) =>
			taken<t.Subscription>(client.PATCH('/subscriptions/{id}', { ...at(id), body: changes as never })),
		removeSubscription: (id: string) => taken<undefined>(client.DELETE('/subscriptions/{id}', at(id))),
		previewSubscription: (subscription: t.SubscriptionFields) =>
			taken<t.SubscriptionPreview>(client.POST('/subscriptions/preview', { body: subscription as never })),

		queues: () => taken<t.Queue[]>(client.GET('/management/backend/queues')),
		addQueue: (queue: t.NewQueue) =>
			taken<t.Queue>(client.POST('/management/backend/queues', { body: queue })),
		changeQueue: (name: string, changes: t.QueueChanges) =>
			taken<t.Queue>(
				client.PATCH('/management/backend/queues/{name}', { params: { path: { name } }, body: changes })
			),
		removeQueue: (name: string) =>
			taken<unknown>(client.DELETE('/management/backend/queues/{name}', { params: { path: { name } } })),

		dns: (query: DnsQuery, signal?: AbortSignal) =>
			taken<t.DnsOutcome>(
				client.GET('/dns', { params: { query: { ...filled(query), q: query.q } }, signal })
			),
		select: (from: string) =>
			taken<t.Selection>(client.GET('/workers/select', { params: { query: { from } } })),
		async operations(filter: OperationFilter = {}): Promise<Page<t.Operation>> {
			const { rows, headers } = await withHeaders(
				client.GET('/operations', { params: { query: filled(filter) } })
			);
			return { rows: rows as t.Operation[], total: Number(headers.get('X-Total-Count') ?? rows.length) };
		},
		operation: (id: string) => taken<t.OperationDetail>(client.GET('/operations/{id}', at(id))),
		create: (operation: t.NewOperation, key = randomKey()) =>
			taken<t.OperationCreated>(
				client.POST('/operations', { body: operation, params: { header: { 'Idempotency-Key': key } } })
			),
		cancel: (id: string) => taken<t.OperationDetail>(client.POST('/operations/{id}/cancel', at(id))),
		async results(id: string, kind: ExportKind): Promise<string> {
			const response = await fetcher(exportAddress(id, kind));
			const text = await response.text();
			if (!response.ok) throw problemOf(response, text);
			return text;
		},

		macVendor: (resource: string) =>
			taken<t.MacVendor>(client.GET('/mac-oui/{resource}', { params: { path: { resource } } })),
		macVendors: (body: { resources: string[]; text: string }) =>
			taken<t.MacVendorOrError[]>(client.POST('/mac-oui', { body })),
		async macAssignments(filter: MacFilter): Promise<Page<t.MacAssignment>> {
			const { rows, headers } = await withHeaders(
				client.GET('/mac-oui', { params: { query: filled(filter) } })
			);
			return { rows: rows as t.MacAssignment[], total: Number(headers.get('X-Total-Count') ?? rows.length) };
		},
		updates: () => taken<t.SourceStatus[]>(client.GET('/updates')),
		updateSource: (source: string) =>
			taken<t.SourceStatus>(client.POST('/updates/{source}', { params: { path: { source } } })),
		giveAccount: (source: string, number: string, key: string) =>
			taken<t.SourceStatus>(
				client.PUT('/updates/{source}/account', { params: { path: { source } }, body: { number, key } })
			),
		forgetAccount: (source: string) =>
			taken<t.SourceStatus>(client.DELETE('/updates/{source}/account', { params: { path: { source } } })),

		lookUpParts: (q: string, parts: readonly t.PartName[]) =>
			taken<t.Known>(client.GET('/lookup', { params: { query: { q, parts: parts.join(',') } } })),
		/** Everything known about anything, told as it arrives. */
		async lookUp(q: string, signal: AbortSignal, tell: LookUpListener): Promise<void> {
			const asked = client.GET('/lookup', {
				params: { query: { q } },
				headers: { Accept: 'text/event-stream' },
				parseAs: 'stream',
				signal
			});
			const body = await taken<ReadableStream<Uint8Array>>(asked);
			let ended = false;
			await readEvents(body, ({ event, data }) => {
				if (event === 'subject') tell.subject(JSON.parse(data) as t.Subject);
				else if (event === 'part') tell.part(JSON.parse(data) as t.Parts);
				else if (event === 'end') ended = true;
			});
			if (!ended) throw new Problem(0, 'Cut off', 'The answer was cut off. Look it up again.');
		},
		locate: (addresses: string[]) =>
			taken<t.GeoAnswer[]>(client.POST('/geoip/list', { body: { addresses } })),
		geoFiles: () => taken<t.GeoFile[]>(client.GET('/geoip/files')),
		ipCalc: (q: string, mac = '') =>
			taken<t.IpAnswer>(client.GET('/ip-calc', { params: { query: mac ? { q, mac } : { q } } })),
		ipSplit: (q: string, by: SplitBy, offset = 0) =>
			taken<t.IpSplit>(
				client.GET('/ip-calc/split', { params: { query: { q, ...by, offset: String(offset) } } })
			),
		ipList: (networks: string[]) => taken<t.IpList>(client.POST('/ip-calc/list', { body: { networks } })),

		whois: (q: string, fresh = false) =>
			taken<t.WhoisAnswer>(client.GET('/whois', { params: { query: fresh ? { q, fresh } : { q } } })),

		users: () => taken<t.User[]>(client.GET('/users', ALL)),
		addUser: (name: string, role: t.Role, password: string) =>
			taken<t.User>(client.POST('/users', { body: { name, role, password } })),
		changeUser: (id: string, changes: { role?: t.Role; password?: string }) =>
			taken<t.User>(client.PATCH('/users/{id}', { ...at(id), body: changes })),
		removeUser: (id: string) => taken<undefined>(client.DELETE('/users/{id}', at(id))),
		tokens: () => taken<t.Token[]>(client.GET('/tokens', ALL)),
		addToken: (name: string, role: t.Role) =>
			taken<t.MadeToken>(client.POST('/tokens', { body: { name, role } })),
		removeToken: (id: string) => taken<undefined>(client.DELETE('/tokens/{id}', at(id)))
	};
}

/** The kinds of file results can be downloaded as. */
export type ExportKind = 'json' | 'csv' | 'txt';

/** Where the results of an operation can be downloaded. */
export function exportAddress(id: string, kind: ExportKind): string {
	return `${BASE}/operations/${encodeURIComponent(id)}/results.${kind}`;
}

/** Where the access list can be downloaded. */
export function accessListAddress(): string {
	return `${BASE}/access-list.csv`;
}

/** Where what the timeline is narrowed to can be downloaded. */
export function eventsAddress(query: string): string {
	const address = `${BASE}/events.csv`;
	return query ? `${address}?${query}` : address;
}

/**
 * Calls `tell` whenever the timeline has changed, until the returned function is called, and says whether something
 * about older events may have changed.
 */
export function followEvents(tell: (older: boolean) => void): () => void {
	const source = new EventSource(`${BASE}/events/stream`);
	let wasOpen = false;
	source.addEventListener('open', () => {
		// What was told while the stream was cut is not told again.
		if (wasOpen) tell(true);
		wasOpen = true;
	});
	source.addEventListener('events', ({ data }) => tell(JSON.parse(data).changed !== false));
	return () => source.close();
}

/** A filter without what is empty. */
function filled(filter: object): Record<string, string | number> {
	return Object.fromEntries(
		Object.entries(filter).filter(([, value]) => value !== '' && value !== undefined)
	);
}

interface Answer {
	data?: unknown;
	error?: unknown;
	response: Response;
}

/** The body of an answer, or the problem it is, or the problem that there was none. */
async function taken<T>(asked: Promise<Answer>): Promise<T> {
	return (await answered(asked)).data as T;
}

async function withHeaders(asked: Promise<Answer>): Promise<{ rows: unknown[]; headers: Headers }> {
	const { data, response } = await answered(asked);
	return { rows: Array.isArray(data) ? data : [], headers: response.headers };
}

async function answered(asked: Promise<Answer>): Promise<Answer> {
	let answer: Answer;
	try {
		answer = await asked;
	} catch {
		throw new Problem(0, 'No answer', 'The server does not answer. Is it running, and is the network up?');
	}
	if (!answer.response.ok) throw problemOf(answer.response, answer.error);
	return answer;
}

/** 128 random bits; `crypto.randomUUID` is hidden from pages that came over plain HTTP. */
function randomKey(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
