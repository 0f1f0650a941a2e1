import { cleanup, render, screen, within } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { traceOf } from '../charts/fixtures.ts';
import HopTable from './HopTable.svelte';

afterEach(cleanup);

const trace = traceOf(
	'192.0.2.9',
	[
		[1, 0, ['10.0.0.1', 1]],
		[2, 100],
		[3, 20, ['10.0.1.1', 5], ['10.0.1.2', 6]],
		[4, 0, ['192.0.2.9', 20]]
	],
	[
		['10.0.0.1', null, '10.0.1.1', '192.0.2.9'],
		['10.0.0.1', null, '10.0.1.2', '192.0.2.9']
	]
);
const show = (hops = trace.hops) => render(HopTable, { worker: 'paris-1', hops, flows: 2 });
const row = (text: string) => screen.getByText(text).closest('tr') as HTMLTableRowElement;

describe('the table of hops', () => {
	it('has a line for each who answered, with the flows it answered', () => {
		show();
		expect(screen.getAllByRole('row')).toHaveLength(1 + 5);
		within(row('10.0.1.2')).getByText('flow 1');
		expect(within(row('10.0.0.1')).queryByText(/flow/)).toBeNull();
		within(row('192.0.2.9')).getByText('target');
	});

	it('says that a hop did not answer, and invents no times for it', () => {
		show();
		const cells = within(row('no answer')).getAllByRole('cell');
		expect(cells.map((cell) => cell.textContent?.trim())).toEqual(['2', 'no answer', '100%', '10', '']);
	});

	it('shows MPLS labels, refusals, and autonomous systems only where one is known', () => {
		show();
		expect(screen.queryByRole('columnheader', { name: 'AS' })).toBeNull();
		cleanup();
		const [first, ...rest] = structuredClone(trace.hops);
		const [router] = first?.responders ?? [];
		if (!first || !router) throw new Error('the fixture has a first hop');
		router.asn = 64500;
		router.labels = [{ label: 24001, tc: 0, bottom: true, ttl: 1 }];
		router.answer = { kind: 'unreachable', message: 'administratively prohibited' };
		show([first, ...rest]);
		const line = within(row('10.0.0.1'));
		line.getByText('AS64500');
		line.getByText('MPLS 24001 TC 0 S 1 TTL 1');
		line.getByText('administratively prohibited');
		within(row('192.0.2.9')).getByText('AS???');
	});
});
