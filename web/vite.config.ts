import adapter from '@sveltejs/adapter-static';
import { sveltekit } from '@sveltejs/kit/vite';
import tailwindcss from '@tailwindcss/vite';
import { defineConfig } from 'vitest/config';

/** Where `npm run dev` finds the API. */
const server = process.env.NETWARK_URL ?? 'http://127.0.0.1:6543';

export default defineConfig({
	plugins: [
		tailwindcss(),
		sveltekit({
			compilerOptions: { runes: true },
			adapter: adapter({ fallback: 'index.html', precompress: true }),
			// The server takes the hash of the start script from the meta tag this writes.
			csp: { mode: 'hash', directives: { 'script-src': ['self'] } },
			version: { name: process.env.NETWARK_VERSION ?? 'dev' }
		})
	],
	// vitest runs components as the browser would, not as a server renders them.
	resolve: process.env.VITEST ? { conditions: ['browser'] } : undefined,
	worker: { format: 'es' },
	server: { proxy: { '/api': { target: server, changeOrigin: true } } },
	test: { environment: 'jsdom', include: ['src/**/*.test.ts'] }
});
