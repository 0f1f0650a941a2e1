/** The nouns of the API under the names they have on the server. Durations are milliseconds, times RFC 3339. */

export type Status = 'pending' | 'progress' | 'done' | 'error' | 'timeout' | 'cancelled';
export type Severity = 'ok' | 'info' | 'warning' | 'alert';
export type Role = 'viewer' | 'operator' | 'admin';
export type Permission =
	'operations:read' | 'operations:run' | 'workers:read' | 'users:manage' | 'tokens:manage' | 'metrics:read';

export interface Session {
	kind: string;
	name: string | null;
	role: Role | null;
	permissions: Permission[];
	setup_required: boolean;
	insecure: boolean;
}

export interface NewOperation {
	type: string;
	target: string;
	options?: Record<string, unknown> | string;
	queues?: string[];
	same_workers_as?: string;
	take_within_ms?: number;
	run_within_ms?: number;
}

export type StatusCounts = Record<Status, number>;

export interface Operation {
	id: string;
	type: string;
	status: Status;
	target: string;
	options: unknown;
	queues: string[];
	created_at: string;
	updated_at: string;
	finished_at: string | null;
	typed_options: Record<string, unknown>;
	take_within_ms: number;
	run_within_ms: number;
	same_workers_as: string | null;
	created_by: string;
	version: number;
	counts: StatusCounts;
	skipped: { worker: string; queue: string }[];
}

export interface OperationResult {
	id: string;
	status: Status;
	worker: string | null;
	queue: string;
	payload: unknown;
	created_at: string;
	updated_at: string;
	started_at: string | null;
	finished_at: string | null;
	late: boolean;
	version: number;
}

export interface OperationDetail extends Operation {
	results: OperationResult[];
}

export interface Finding {
	severity: Severity;
	kind: string;
	hop: number | null;
	text: string;
}

export interface Verdict {
	severity: Severity;
	summary: string;
	findings: Finding[];
}

export type PingFate =
	| { fate: 'waiting' }
	| {
			fate: 'reply';
			rtt: number;
			ttl: number | null;
			from: string | null;
			duplicates: number;
			kernel: boolean;
	  }
	| { fate: 'late'; rtt: number }
	| { fate: 'lost' }
	| { fate: 'error'; from: string; message: string }
	| { fate: 'unsent'; message: string };

export type PingReply = { seq: number; at_ms: number } & PingFate;

export interface PingStatistics {
	transmitted: number;
	received: number;
	unsent: number;
	duplicates: number;
	late: number;
	reordered: number;
	errors: number;
	loss: number;
	min: number | null;
	average: number | null;
	max: number | null;
	stddev: number | null;
	jitter: number | null;
	median: number | null;
	p95: number | null;
	p99: number | null;
}

export interface PingReport {
	address: string;
	chosen: string | null;
	statistics: PingStatistics;
	replies: PingReply[];
	verdict: Verdict;
}

export interface PingOutcome {
	transmitted: number;
	received: number;
	duplicates: number;
	loss: number;
	min: number | null;
	max: number | null;
	average: number | null;
	raw: string[];
	reports: PingReport[];
}

export interface HopRtt {
	last: number;
	best: number;
	average: number;
	worst: number;
	stddev: number;
	jitter: number;
}

export interface Label {
	label: number;
	tc: number;
	bottom: boolean;
	ttl: number;
}

export type HopAnswer =
	{ kind: 'time_exceeded' } | { kind: 'target' } | { kind: 'unreachable'; message: string };

export interface Responder {
	address: string;
	name: string | null;
	asn: number | null;
	received: number;
	rtt: HopRtt;
	answer: HopAnswer;
	labels: Label[];
	flows: number[];
}

export interface Hop {
	ttl: number;
	sent: number;
	received: number;
	loss: number;
	rtt: HopRtt | null;
	responders: Responder[];
}

export interface FlowPath {
	flow: number;
	hops: (string | null)[];
}

export interface TraceReport {
	address: string;
	chosen: string | null;
	protocol: 'icmp' | 'udp' | 'tcp';
	cycles: number;
	reached: boolean;
	end: 'target' | 'unreachable' | 'silence' | 'last_hop' | 'loop' | null;
	hops: Hop[];
	paths: FlowPath[];
	verdict: Verdict;
}

export interface MtrHub {
	count: number;
	host: string;
	ASN: string;
	'Loss%': number;
	Snt: number;
	Last: number;
	Avg: number;
	Best: number;
	Wrst: number;
	StDev: number;
}

export interface MtrOutcome {
	report: { mtr: Record<string, unknown>; hubs: MtrHub[] };
	raw: string[];
	trace: TraceReport;
}

export interface MissingCapability {
	what: string;
	why: string;
	remedy: string;
}

export interface Worker {
	id: string;
	name: string;
	site: string;
	location: string;
	tags: string[];
	version: string;
	queues: string[];
	capabilities: {
		tools: string[];
		ipv4: boolean;
		ipv6: boolean;
		raw_sockets: boolean;
		missing: MissingCapability[];
	};
	policy: string;
	embedded: boolean;
	online: boolean;
	running: number;
	created_at: string;
	last_seen_at: string;
}

export interface Queue {
	queue: string;
	name: string;
	location: string;
	broadcast: boolean;
	builtin: boolean;
	workers: number;
	online: number;
}

export interface ToolFlag {
	/** With its dash: `-c`. */
	flag: string;
	/** With its dashes: `--tcp`. */
	long: string | null;
	value: boolean;
	effect: 'parsed' | 'accepted' | 'refused';
	reason: string | null;
}

/** A flag of a tool's command line. */
export interface ToolArgument {
	/** The option it sets, where it sets one of that name. */
	option?: string;
	short: string | null;
	long: string | null;
	/** The word for its value, such as `SECONDS`. */
	value: string | null;
	help: string;
}

/** A property of a tool's options, as JSON Schema 2020-12 says it. */
export interface SchemaProperty {
	type?: string | string[];
	description?: string;
	minimum?: number;
	maximum?: number;
	maxLength?: number;
	default?: unknown;
	enum?: unknown[];
	oneOf?: SchemaProperty[];
	anyOf?: SchemaProperty[];
	allOf?: SchemaProperty[];
}

export interface ToolInfo {
	name: string;
	title: string;
	summary: string;
	target: string;
	schema: { properties?: Record<string, SchemaProperty>; required?: string[] };
	arguments: ToolArgument[];
	flags: ToolFlag[];
}

export interface Suggestion {
	label: string;
	target: string;
	why: string;
}

export interface ServerStatus {
	version: string;
	started_at: string;
	database: string;
	broker: string;
	timezone: string;
	operations_open: number;
	operations_today: number;
	operations_kept: number;
	suggestions: Suggestion[];
}

export interface User {
	id: string;
	name: string;
	role: Role;
	created_at: string;
}

export interface Token {
	id: string;
	name: string;
	role: Role;
	created_at: string;
	last_used_at: string | null;
}

export interface FieldError {
	location: string;
	name: string;
	description: string;
}
