import type { ChannelConfig, ChannelKind } from '../api/types.ts';

/** A field of the set-up of a channel. */
export interface ChannelField {
	name: string;
	label: string;
	help?: string;
	/** How it is typed: one line of text when left out. */
	as?: 'number' | 'lines' | 'headers' | 'template' | 'choice' | 'tick';
	placeholder?: string;
	/** Values with their words, of a choice; the first is the usual one. */
	choices?: [string, string][];
	/** Stands among the further settings. */
	further?: true;
}

/** A secret of a channel, which is never shown again. */
export interface SecretInput {
	name: string;
	label: string;
	help?: string;
	/** Works without it, too. */
	optional?: true;
	/** Only where this field is filled in or ticked. */
	when?: string;
}

export interface KindOfChannel {
	kind: ChannelKind;
	title: string;
	/** What it needs and where that is to be had. */
	help: string;
	fields: ChannelField[];
	secrets: SecretInput[];
}

const TEMPLATE = 'As minijinja has it; empty for the usual one.';

/** The kinds of channels, as people set them up. */
export const kinds: KindOfChannel[] = [
	{
		kind: 'mail',
		title: 'Mail',
		help: 'Over a mail server that takes mail from this machine or this user.',
		fields: [
			{ name: 'server', label: 'Mail server', placeholder: 'mail.example.org' },
			{
				name: 'security',
				label: 'Security',
				as: 'choice',
				choices: [
					['tls', 'TLS (port 465)'],
					['starttls', 'STARTTLS (port 587)'],
					['none', 'None (port 25)']
				]
			},
			{ name: 'port', label: 'Port', as: 'number', placeholder: 'as usual' },
			{ name: 'username', label: 'User name', placeholder: 'nobody signs in' },
			{ name: 'from', label: 'From', placeholder: 'Netwark <netwark@example.org>' },
			{ name: 'to', label: 'To', as: 'lines', help: 'Addresses, one a line.' },
			{ name: 'subject', label: 'Subject', help: TEMPLATE, further: true },
			{ name: 'text', label: 'Plain text', as: 'template', help: TEMPLATE, further: true },
			{
				name: 'html',
				label: 'HTML',
				as: 'template',
				help: `${TEMPLATE} What is put in is escaped.`,
				further: true
			}
		],
		secrets: [{ name: 'password', label: 'Password', when: 'username' }]
	},
	{
		kind: 'webhook',
		title: 'Webhook',
		help: 'JSON that is posted to a URL.',
		fields: [
			{
				name: 'sign',
				label: 'Sign every request',
				as: 'tick',
				help: 'As Standard Webhooks has it: webhook-id, webhook-timestamp and webhook-signature.'
			},
			{
				name: 'headers',
				label: 'Further headers',
				as: 'headers',
				help: 'Name: value, one a line.',
				further: true
			},
			{ name: 'template', label: 'Template of the JSON', as: 'template', help: TEMPLATE, further: true }
		],
		secrets: [
			{
				name: 'url',
				label: 'URL',
				help: 'Such as https://hooks.example.org/netwark. Who knows it may often post there, so it is kept as a secret.'
			},
			{
				name: 'signing_key',
				label: 'Signing key',
				help: 'Made when none is given, and shown once.',
				when: 'sign',
				optional: true
			},
			{ name: 'authorization', label: 'Authorization', help: 'The value of that header.', optional: true }
		]
	},
	{
		kind: 'slack',
		title: 'Slack',
		help: 'An incoming webhook of Slack, or of what speaks alike, such as Mattermost.',
		fields: [],
		secrets: [{ name: 'url', label: 'URL of the webhook' }]
	},
	{
		kind: 'teams',
		title: 'Microsoft Teams',
		help: 'A workflow that is started when a webhook request is received.',
		fields: [],
		secrets: [{ name: 'url', label: 'URL of the webhook' }]
	},
	{
		kind: 'discord',
		title: 'Discord',
		help: 'A webhook of a channel: its settings, Integrations, Webhooks.',
		fields: [],
		secrets: [{ name: 'url', label: 'URL of the webhook' }]
	},
	{
		kind: 'telegram',
		title: 'Telegram',
		help: 'A bot of BotFather that is a member of the chat.',
		fields: [
			{
				name: 'chat_id',
				label: 'Chat',
				placeholder: '-1001234567890',
				help: 'Its number, or @name of a public channel.'
			},
			{
				name: 'thread_id',
				label: 'Topic',
				as: 'number',
				help: 'The number of a thread of a forum.',
				further: true
			},
			{ name: 'server', label: 'Server', placeholder: 'https://api.telegram.org', further: true }
		],
		secrets: [{ name: 'token', label: 'Token of the bot' }]
	},
	{
		kind: 'matrix',
		title: 'Matrix',
		help: 'A user that is a member of the room.',
		fields: [
			{ name: 'homeserver', label: 'Home server', placeholder: 'https://matrix.example.org' },
			{ name: 'room', label: 'Room', placeholder: '#noc:example.org', help: 'Its id, or one of its names.' }
		],
		secrets: [{ name: 'token', label: 'Access token' }]
	},
	{
		kind: 'ntfy',
		title: 'ntfy',
		help: 'Who knows the name of a topic that is open to all can read it.',
		fields: [
			{ name: 'topic', label: 'Topic', placeholder: 'netwark-noc' },
			{ name: 'server', label: 'Server', placeholder: 'https://ntfy.sh' }
		],
		secrets: [{ name: 'token', label: 'Access token', optional: true }]
	},
	{
		kind: 'gotify',
		title: 'Gotify',
		help: 'An application of the server.',
		fields: [{ name: 'server', label: 'Server', placeholder: 'https://gotify.example.org' }],
		secrets: [{ name: 'token', label: 'Token of the application' }]
	},
	{
		kind: 'pagerduty',
		title: 'PagerDuty',
		help: 'A service with an integration of the Events API v2. What was down is resolved once a subscription tells that it is back.',
		fields: [
			{
				name: 'server',
				label: 'Server',
				placeholder: 'https://events.pagerduty.com',
				help: 'Accounts in Europe use https://events.eu.pagerduty.com.'
			}
		],
		secrets: [{ name: 'key', label: 'Integration key' }]
	},
	{
		kind: 'syslog',
		title: 'Syslog',
		help: 'A server that takes messages as RFC 5424 has them.',
		fields: [
			{ name: 'server', label: 'Server', placeholder: 'syslog.example.org' },
			{
				name: 'transport',
				label: 'Transport',
				as: 'choice',
				choices: [
					['udp', 'UDP (port 514)'],
					['tcp', 'TCP (port 601)'],
					['tls', 'TLS (port 6514)']
				]
			},
			{ name: 'port', label: 'Port', as: 'number', placeholder: 'as usual' },
			{
				name: 'facility',
				label: 'Facility',
				as: 'choice',
				choices: ['daemon', 'user', 'auth', 'authpriv', 'local0', 'local1', 'local2', 'local3']
					.concat(['local4', 'local5', 'local6', 'local7'])
					.map((word) => [word, word])
			}
		],
		secrets: []
	}
];

/** What is known of a kind. */
export function kindOf(kind: ChannelKind): KindOfChannel {
	return kinds.find((one) => one.kind === kind) ?? kinds[0]!;
}

/** What is typed into the fields of a channel; ticks are `on` or empty. */
export type Typed = Record<string, string>;

/** What the fields begin with. */
export function typed({ fields }: KindOfChannel, config: ChannelConfig | undefined): Typed {
	const known = (config ?? {}) as Record<string, unknown>;
	return Object.fromEntries(
		fields.map(({ name, as, choices }) => {
			const value = known[name];
			if (as === 'lines' && Array.isArray(value)) return [name, value.join('\n')];
			if (as === 'headers' && value) {
				const lines = Object.entries(value).map(([header, text]) => `${header}: ${String(text)}`);
				return [name, lines.join('\n')];
			}
			if (as === 'tick') return [name, value ? 'on' : ''];
			if (value === undefined || value === null) return [name, choices?.[0]?.[0] ?? ''];
			return [name, String(value as string | number)];
		})
	);
}

/** The set-up that was typed; what is empty is left out, and so as usual. */
export function configOf({ kind, fields }: KindOfChannel, values: Typed): ChannelConfig {
	const config: Record<string, unknown> = { kind };
	for (const { name, as } of fields) {
		const text = (values[name] ?? '').trim();
		if (as === 'tick') config[name] = text !== '';
		else if (as === 'lines') config[name] = lines(text);
		else if (text === '') continue;
		else if (as === 'number') config[name] = Number(text);
		else if (as === 'headers') {
			config[name] = Object.fromEntries(lines(text).map((line) => halves(line)));
		} else config[name] = text;
	}
	// What has to be there is sent empty, so that the answer names it.
	for (const name of NEEDED[kind] ?? []) config[name] ??= '';
	return config as unknown as ChannelConfig;
}

/** Fields without which a set-up cannot be read. */
const NEEDED: Partial<Record<ChannelKind, string[]>> = {
	mail: ['server', 'from'],
	telegram: ['chat_id'],
	matrix: ['homeserver', 'room'],
	ntfy: ['topic'],
	gotify: ['server'],
	syslog: ['server']
};

function lines(text: string): string[] {
	return text
		.split('\n')
		.map((line) => line.trim())
		.filter((line) => line !== '');
}

function halves(line: string): [string, string] {
	const at = line.indexOf(':');
	return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

/** The secrets that a channel takes as it is set up now. */
export function secretsOf({ secrets }: KindOfChannel, values: Typed): SecretInput[] {
	return secrets.filter(({ when }) => !when || (values[when] ?? '').trim() !== '');
}
