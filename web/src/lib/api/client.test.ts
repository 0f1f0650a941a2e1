import { describe, expect, it } from 'vitest';
import { api } from './client.ts';
import { Problem } from './problem.ts';

/** An API that gives one answer, and what it was asked. */
function answering(response: () => Response | Promise<Response>) {
	const asked: Request[] = [];
	const fetcher = async (request: RequestInfo | URL) => {
		asked.push(request as Request);
		return response();
	};
	return { client: api(fetcher as typeof fetch), asked };
}

const failure = async (work: Promise<unknown>): Promise<Problem> => {
	const thrown = await work.catch((reason: unknown) => reason);
	if (thrown instanceof Problem) return thrown;
	throw new Error(`expected a problem, got ${String(thrown)}`);
};

describe('the client', () => {
	it('sends only filters that say something, and reads the total', async () => {
		const answer = () => Response.json([{ id: '1' }], { headers: { 'X-Total-Count': '731' } });
		const { client, asked } = answering(answer);
		expect(await client.operations({ status: 'done', type: '', page: 2 })).toEqual({
			rows: [{ id: '1' }],
			total: 731
		});
		expect(new URL(asked[0]?.url ?? '').search).toBe('?status=done&page=2');
	});

	it('gives every new operation a key of its own', async () => {
		const { client, asked } = answering(() => Response.json({ operation_id: '1' }, { status: 201 }));
		await client.create({ type: 'ping', target: 'a' });
		await client.create({ type: 'ping', target: 'a' });
		const keys = asked.map((request) => request.headers.get('Idempotency-Key'));
		expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
		expect(keys[0]).not.toBe(keys[1]);
		expect(await asked[0]?.json()).toEqual({ type: 'ping', target: 'a' });
	});

	it('throws the problem the server names, field by field', async () => {
		const errors = [{ location: 'body', name: 'target', description: 'must not be empty' }];
		const body = { title: 'Unprocessable', status: 422, detail: 'One field is wrong', errors };
		const { client } = answering(() => Response.json(body, { status: 422 }));
		const problem = await failure(client.create({ type: 'ping', target: '' }));
		expect(problem.of('target')).toBe('must not be empty');
		expect(problem.message).toBe('One field is wrong');
	});

	it('throws a problem when a proxy answers, or nobody', async () => {
		const proxy = answering(
			() => new Response('<h1>Bad gateway</h1>', { status: 502, statusText: 'Bad Gateway' })
		);
		expect(await failure(proxy.client.status())).toMatchObject({ status: 502, title: 'Bad Gateway' });
		const nobody = answering(() => Promise.reject(new TypeError('failed')));
		expect(await failure(nobody.client.status())).toMatchObject({ status: 0, title: 'No answer' });
	});
});
