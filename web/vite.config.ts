import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds the API. */
const server = process.env.NETWARK_URL ?? 'http://127.0.0.1:6543';

/** Changes with what the pages are made of, so that one that is open notices when the server has others. */
function version(): string {
	const at = fileURLToPath(new URL('.', import.meta.url));
	const sources = readdirSync(`${at}/src`, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => `${entry.parentPath}/${entry.name}`);
	const hash = createHash('sha256');
	for (const file of [`${at}/package-lock.json`, ...sources.sort()]) hash.update(readFileSync(file));
	return hash.digest('hex').slice(0, 16);
}

export default defineConfig({
	plugins: [
		tailwindcss(),
		sveltekit({
			compilerOptions: { runes: true },
			adapter: adapter({ fallback: 'index.html', precompress: true }),
			// The server takes the hash of the start script from the meta tag this writes.
			csp: { mode: 'hash', directives: { 'script-src': ['self'] } },
			version: { name: version() }
		})
	],
	// vitest runs components as the browser would, not as a server renders them.
	resolve: process.env.VITEST ? { conditions: ['browser'] } : undefined,
	worker: { format: 'es' },
	// The server takes changes from its own pages alone, so requests bear its own origin.
	server: {
		proxy: { '/api': { target: server, changeOrigin: true, headers: { origin: new URL(server).origin } } }
	},
	test: { environment: 'jsdom', include: ['src/**/*.test.ts'] }
});
