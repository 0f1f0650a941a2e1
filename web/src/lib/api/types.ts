/** The nouns of the API, by the description the server makes of itself. Durations are milliseconds, times RFC 3339. */
import type { components } from './schema.d.ts';

type Schemas = components['schemas'];

/** The description calls a field that may be `null` optional; the server always writes it. */
type Whole<T> = T extends (infer Item)[]
	? Whole<Item>[]
	: T extends object
		? { [Name in keyof T]-?: Whole<T[Name]> }
		: T;

export type Status = Schemas['Status'];
export type Severity = Schemas['Severity'];
export type Role = Schemas['Role'];
export type Permission = Schemas['Permission'];

export type Session = Whole<Schemas['Session']>;
export type User = Whole<Schemas['User']>;
export type Token = Whole<Schemas['Token']>;
export type MadeToken = Whole<Schemas['MadeToken']>;
export type FieldError = Schemas['FieldError'];

export type NewOperation = Omit<Schemas['NewOperation'], 'options'> & {
	options?: Record<string, unknown> | string;
};
export type OperationCreated = Schemas['OperationCreated'];
export type Operation = Omit<Whole<Schemas['Operation']>, 'typed_options'> & {
	typed_options: Record<string, unknown>;
};
export type Selection = Whole<Schemas['Selection']>;
export type OperationResult = Whole<Schemas['OperationResult']>;
export type OperationDetail = Operation & { results: OperationResult[] };

/** The calculator leaves out what does not apply. */
export type IpAnswer = Schemas['IpAnswer'];
export type IpInside = Schemas['EmbeddedIpv4'];
export type IpSplit = Schemas['NetworkSplit'];
export type IpList = Schemas['NetworkSummary'];

export type Verdict = Whole<Schemas['Verdict']>;
export type PingReply = Whole<Schemas['PingReply']>;
export type PingStatistics = Whole<Schemas['PingStatistics']>;
export type PingReport = Whole<Schemas['PingReport']>;
export type PingOutcome = Whole<Schemas['PingOutcome']>;
export type SweepHost = Schemas['SweepHost'];
export type Fact = Schemas['Fact'];
export type SweepOutcome = Omit<Whole<Schemas['SweepOutcome']>, 'hosts' | 'facts'> & {
	/** What a host does not have is left out. */
	hosts: SweepHost[];
	facts: Fact[];
};
export type TcpAttempt = Whole<Schemas['TcpAttempt']>;
export type TcpStatistics = Whole<Schemas['TcpStatistics']>;
export type TcpReport = Whole<Schemas['TcpReport']>;
export type TcpOutcome = Whole<Schemas['TcpOutcome']>;
export type Certificate = Whole<Schemas['Certificate']>;
export type TlsSession = Whole<Schemas['TlsSession']>;
export type TlsReport = Whole<Schemas['TlsReport']>;
export type TlsOutcome = Whole<Schemas['TlsOutcome']>;
export type HttpHop = Whole<Schemas['HttpHop']>;
export type HttpReport = Whole<Schemas['HttpReport']>;
export type HttpOutcome = Whole<Schemas['HttpOutcome']>;
export type HopRtt = Schemas['HopRtt'];
export type Responder = Whole<Schemas['Responder']>;
export type Hop = Whole<Schemas['Hop']>;
export type TraceReport = Whole<Schemas['TraceReport']>;
export type MtrOutcome = Whole<Schemas['MtrOutcome']>;
export type DnsOutcome = Whole<Schemas['DnsOutcome']>;
export type DnsRecord = Schemas['DnsRecord'];
export type DnssecReport = Whole<Schemas['DnssecReport']>;
export type DnssecLink = Whole<Schemas['DnssecLink']>;
export type TraceStep = Whole<Schemas['TraceStep']>;
export type Security = Schemas['Security'];
export type Transport = Schemas['Transport'];

/** What an administrator set, or the worker says. The description takes what may be left out for always there. */
type Overrides = Partial<Schemas['WorkerOverrides']>;
export type Worker = Omit<Whole<Schemas['Worker']>, 'overrides' | 'declared'> & {
	overrides: Overrides;
	declared: Overrides | null;
};
export type WorkerState = Schemas['WorkerState'];
export type Coordinates = Schemas['Coordinates'];
export type SelfTest = Whole<Schemas['SelfTest']>;
export type ToolUsage = Schemas['ToolUsage'];
export type MissingCapability = Schemas['MissingCapability'];
export type NewWorker = Schemas['NewWorker'];
/** What an administrator sets of a worker; `null` gives it back to the worker. */
export type WorkerChanges = Partial<Schemas['WorkerChanges']>;
export type MadeWorker = Omit<Schemas['EnrolledWorker'], 'worker'> & { worker: Worker };
export type Pairing = Schemas['StartedPairing'];
export type Event = Whole<Schemas['Event']>;
export type Queue = Schemas['Queue'];
export type NewQueue = Schemas['NewQueue'];
export type QueueChanges = Schemas['QueueChanges'];

export type TargetKind = Schemas['TargetKind'];
export type ToolFlag = Whole<Schemas['FlagView']>;
export type ToolArgument = Whole<Schemas['ArgumentView']>;
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
	items?: SchemaProperty;
	anyOf?: SchemaProperty[];
	allOf?: SchemaProperty[];
}
export type ToolInfo = Omit<Whole<Schemas['ToolView']>, 'schema'> & {
	schema: { properties?: Record<string, SchemaProperty>; required?: string[] };
};

export type ServerStatus = Schemas['ServerStatus'];
export type Suggestion = Schemas['Suggestion'];

/** What is known of a MAC address; what is not known is left out. */
export type MacVendor = Schemas['MacVendor'];
export type MacVendorOrError = Schemas['MacVendorOrError'];
export type MacAssignment = Schemas['MacAssignment'];
export type SourceStatus = Whole<Schemas['SourceStatus']>;
export type SourceAccount = Whole<Schemas['SourceAccount']>;
export type UpdateRun = Whole<Schemas['UpdateRun']>;

export type Subject = Whole<Schemas['Subject']>;
export type PartName = Schemas['PartName'];
export type PartStatus = Schemas['PartStatus'];
/** What is known, part by part; a part that has not come, or that there is not, is absent. */
export type Parts = { [Name in keyof Schemas['Parts']]?: Whole<NonNullable<Schemas['Parts'][Name]>> };
export type Known = Subject & { parts: Parts };

export type GeoAnswer = Whole<Schemas['GeoAnswer']>;
export type GeoPlace = Whole<Schemas['GeoPlace']>;
export type GeoCountry = Whole<Schemas['GeoCountry']>;
export type GeoSource = Whole<Schemas['GeoSource']>;
export type GeoFile = Whole<Schemas['GeoFile']>;
export type Finding = Schemas['GeoFinding'];

/** What a registry does not say is absent. */
export type WhoisRecord = Schemas['WhoisRecord'];
export type WhoisStep = Schemas['WhoisStep'];
export type WhoisAnswer = Schemas['WhoisAnswer'];

/** How much things matter on a network; what is as usual is absent. */
export type Severities = Partial<Schemas['Severities']>;
export type Sweep = Whole<Schemas['Sweep']>;
/** What a worker knows of a link it stands on. */
export type LinkFacts = Whole<Schemas['LinkFacts']>;
/** A network that a worker stands in and nobody watches. */
export type NetworkOffer = Omit<Schemas['NetworkOffer'], 'link'> & { link: LinkFacts };
export type Network = Omit<Whole<Schemas['Network']>, 'severities' | 'link' | 'last_sweep'> & {
	severities: Severities;
	link: LinkFacts | null;
	last_sweep: Sweep | null;
};
export type NetworkStatus = Schemas['NetworkStatus'];
/** What people decide about a network; what is left out is as usual, or stays. */
export type NetworkFields = Partial<Schemas['NetworkFields']>;
export type DeletedNetwork = Schemas['DeletedNetwork'];
export type PlannedAddress = Schemas['PlannedAddress'];

export type Access = Schemas['Access'];
export type Presence = Schemas['Presence'];
export type Criticality = Schemas['Criticality'];
export type Device = Whole<Schemas['Device']>;
export type Interface = Whole<Schemas['Interface']>;
export type Proposal = Schemas['Proposal'];
export type DeviceDetail = Device & { interfaces: Interface[]; proposals: Proposal[] };
export type DeviceChange = Whole<Schemas['DeviceChange']>;
/** What people say of a device; `null` gives a name or a type back to what is heard. */
export type DeviceChanges = {
	[Name in keyof Schemas['DeviceChanges']]?: Schemas['DeviceChanges'][Name] | null;
};
export type PresenceSession = Whole<Schemas['PresenceSession']>;

export type AccessAction = Schemas['AccessAction'];
export type AccessEntry = Whole<Schemas['AccessEntry']>;
export type AccessFields = { [Name in keyof Schemas['AccessFields']]?: Schemas['AccessFields'][Name] | null };
export type Imported = Schemas['Imported'];

export type ChannelKind = Schemas['ChannelKind'];
/** How a channel is set up; its secrets are never shown. */
export type ChannelConfig = Schemas['ChannelConfig'];
export type Channel = Whole<Omit<Schemas['Channel'], 'config'>> & { config: ChannelConfig | null };
export type ChannelFields = {
	name?: string;
	config?: ChannelConfig;
	/** Secrets by name; those that are left out stay, `null` removes one. */
	secrets?: Record<string, string | null>;
};
export type Delivery = Whole<Schemas['Delivery']>;
export type DeliveryStatus = Schemas['DeliveryStatus'];
export type Day = Schemas['Day'];
export type Hours = Schemas['Hours'];
export type Subscription = Omit<Whole<Schemas['Subscription']>, 'hours' | 'quiet_hours' | 'text'> & {
	text: string | null;
	hours: Hours | null;
	quiet_hours: Hours | null;
};
/** What a subscription wants; what is left out is as usual, or stays. */
export type SubscriptionFields = {
	[Name in keyof Schemas['SubscriptionFields']]?: Schemas['SubscriptionFields'][Name] | null;
};
export type SubscriptionPreview = Schemas['SubscriptionPreview'];

export type SeverityCounts = Schemas['SeverityCounts'];
export type EventStatistics = Whole<Schemas['EventStatistics']>;
export type DeviceStatistics = Schemas['DeviceStatistics'];
/** Devices that were there, by hour; `null` where nobody looked. */
export type PresenceStatistics = Omit<Schemas['PresenceStatistics'], 'days' | 'weekdays'> & {
	days: { day: string; hours: (number | null)[] }[];
	weekdays: { weekday: number; hours: (number | null)[] }[];
};
