import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { loopbackServer } from './reach.ts';
import Reach from './Reach.svelte';

afterEach(cleanup);

describe('the server in a command', () => {
	it('is told when only its own machine reaches it', () => {
		const found = (url: string) =>
			loopbackServer(`NETWARK_WORKER_TOKEN=nww_a_b netwark worker --server ${url}`);
		expect(found('http://127.0.0.1:6543')).toBe('http://127.0.0.1:6543');
		expect(found('http://127.8.0.1:6543 --code K7TM-3XWQ')).toBe('http://127.8.0.1:6543');
		expect(found('http://[::1]:6543')).toBe('http://[::1]:6543');
		expect(found('https://localhost/netwark')).toBe('https://localhost/netwark');
		expect(found('https://netwark.example')).toBeUndefined();
		expect(found('http://10.127.0.1:6543')).toBeUndefined();
		expect(found('https://localhost.example')).toBeUndefined();
		expect(loopbackServer('command: ["worker", "--server", "http://127.0.0.1:1"]')).toBe(
			'http://127.0.0.1:1'
		);
		expect(loopbackServer('netwark worker')).toBeUndefined();
	});

	it('is warned of with what to set', () => {
		render(Reach, { command: 'netwark worker --server http://127.0.0.1:6543' });
		expect(screen.getByRole('note').textContent).toMatch(
			/own machine reaches http:\/\/127.*server\.listen.*server\.public_urls/s
		);
	});

	it('is passed over when others reach it', () => {
		render(Reach, { command: 'netwark worker --server https://netwark.example' });
		expect(screen.queryByRole('note')).toBeNull();
	});
});
