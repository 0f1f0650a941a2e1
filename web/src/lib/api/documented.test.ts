import { describe, expect, it } from 'vitest';
import description from '../../../../crates/server/openapi.json';

/** Every file of the page but tests and what is generated. */
const sources = Object.entries(
	import.meta.glob<string>(['/src/**/*.{ts,svelte}', '!/src/**/*.test.ts', '!/src/**/*.d.ts'], {
		query: '?raw',
		import: 'default',
		eager: true
	})
);
const paths: Record<string, Record<string, unknown>> = description.paths;

/** The client, which is typed by the description, and the one stream of events. */
const SPEAKERS = ['/src/lib/api/client.ts', '/src/lib/live/hub.ts'];
/** Shows people the address, for their own programs. */
const SHOWS = ['/src/lib/operations/command-line.ts'];

const where = (found: (text: string) => boolean) =>
	sources.filter(([, text]) => found(text)).map(([name]) => name);

/** A path as the description spells it, whatever its parameters are called. */
const plain = (path: string) => path.replace(/\{[^}]*\}/g, '{}');
const described = new Set(
	Object.entries(paths).flatMap(([path, item]) =>
		Object.keys(item).map((method) => `${method.toUpperCase()} ${plain(path)}`)
	)
);

describe('whatever a page asks for', () => {
	it('is asked for by the client', () => {
		expect(sources.length).toBeGreaterThan(100);
		const speaks = /(?<![\w.$])fetch\(|\bnew (?:EventSource|WebSocket|XMLHttpRequest)\b|\bsendBeacon\(/;
		expect(where((text) => speaks.test(text)).filter((name) => !SPEAKERS.includes(name))).toEqual([]);
		const names = where((text) => /\/api\/v1\b|\bBASE\b/.test(text));
		expect(names.filter((name) => ![...SPEAKERS, ...SHOWS].includes(name))).toEqual([]);
	});

	it('is a route that the description names', () => {
		const asked = sources.flatMap(([, text]) =>
			[...text.matchAll(/\bclient\.([A-Z]+)\(\s*'([^']+)'/g)].map(
				([, method, path]) => `${method} ${plain(path!)}`
			)
		);
		expect(asked.length).toBeGreaterThan(20);
		expect(asked.filter((route) => !described.has(route))).toEqual([]);
	});

	it('is a described route where it is asked for by its address', () => {
		const addresses = sources.flatMap(([, text]) =>
			[...text.matchAll(/(?:\$\{BASE\}|\/api\/v1)(\/[^`'"?\s\\]*)/g)].map(([, path]) => path!)
		);
		expect(addresses.length).toBeGreaterThan(1);
		for (const address of addresses) {
			const route = new RegExp(`^GET ${address.replace(/\$\{[^}]*\}/g, '[^ ]*').replaceAll('.', '\\.')}$`);
			const found = [...described].some((one) => route.test(one) || one.endsWith(` ${address}`));
			expect(found, address).toBe(true);
		}
	});
});
