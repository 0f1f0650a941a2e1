import { describe, expect, it } from 'vitest';
import type { ChannelConfig } from '../api/types.ts';
import { configOf, kindOf, kinds, secretsOf, typed } from './kinds.ts';

describe('channels', () => {
	it('are typed and read back as they were', () => {
		const configs = [
			{
				kind: 'mail',
				server: 'mail.example.org',
				port: 2525,
				security: 'starttls',
				username: 'netwark',
				from: 'a@example.org',
				to: ['b@example.org', 'c@example.org']
			},
			{ kind: 'webhook', headers: { 'X-Team': 'noc: day' }, sign: true },
			{ kind: 'slack' },
			{ kind: 'syslog', server: '192.0.2.1', transport: 'tcp', facility: 'local3' }
		] as unknown as ChannelConfig[];
		for (const config of configs) {
			const kind = kindOf(config.kind);
			expect(configOf(kind, typed(kind, config))).toEqual(config);
		}
	});

	it('send what is needed even when it is empty, so that the answer names it', () => {
		const kind = kindOf('telegram');
		expect(configOf(kind, typed(kind, undefined))).toEqual({ kind: 'telegram', chat_id: '' });
		const mail = kindOf('mail');
		expect(configOf(mail, typed(mail, undefined))).toMatchObject({ server: '', from: '', to: [] });
	});

	it('ask for a secret only where it is of use', () => {
		const mail = kindOf('mail');
		expect(secretsOf(mail, { username: '' })).toEqual([]);
		expect(secretsOf(mail, { username: 'netwark' }).map(({ name }) => name)).toEqual(['password']);
		const names = kinds.flatMap(({ secrets }) => secrets.map(({ name }) => name));
		expect(new Set(names)).toEqual(
			new Set(['password', 'signing_key', 'authorization', 'url', 'token', 'key'])
		);
	});
});
