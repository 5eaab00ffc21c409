// The control API under /simulator/.
import { expect, test } from 'vitest';
import type { Simulator } from '../src/index.js';
import { connected, simulator } from './raw-client.js';

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the server answers
async function call(sim: Simulator, method: string, path: string, body?: unknown): Promise<{ status: number; json: any }> {
	const response = await fetch(`http://127.0.0.1:${sim.port}/simulator${path}`, {
		method,
		...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
	});
	return { status: response.status, json: await response.json() };
}

test('the index lists every endpoint, and each of them exists', async () => {
	const sim = await simulator();
	const { json } = await call(sim, 'GET', '');
	expect(json.endpoints.length).toBeGreaterThan(8);
	for (const { method, path } of json.endpoints as { method: string; path: string }[]) {
		const { status } = await call(sim, method, path.replace('/simulator', ''), method === 'POST' ? {} : undefined);
		const needsInput = method === 'POST' || path === '/simulator/interaction';
		expect([method, path, status]).toEqual([method, path, needsInput ? 400 : 200]);
	}
});

test('state and log report what happened, filtered', async () => {
	const sim = await simulator();
	await connected(sim, { shard: [1, 2] });
	expect((await call(sim, 'GET', '/state')).json).toMatchObject({
		guilds: 4,
		connections: 1,
		sessions: [{ shard: [1, 2], connected: true }],
	});
	const { json } = await call(sim, 'GET', '/log?type=identify,close&shard=1');
	expect(json.entries).toMatchObject([{ type: 'identify', shardId: 1, outcome: 'accepted' }]);
	expect((await call(sim, 'GET', `/log?after=${json.entries[0].number}&type=identify`)).json.entries).toEqual([]);
	expect((await call(sim, 'GET', '/log?shard=x')).status).toBe(400);
	expect(JSON.stringify((await call(sim, 'GET', '/log')).json)).not.toContain(sim.token);
	expect(JSON.stringify((await call(sim, 'GET', '/state')).json)).not.toContain(sim.token);
});

test('emits events, sets faults, activity and guilds by request', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	const { json } = await call(sim, 'POST', '/emit', { type: 'MESSAGE_CREATE', data: { content: 'hi' } });
	expect((await client.next('MESSAGE_CREATE')).d).toMatchObject({ id: json.id, content: 'hi' });
	expect((await call(sim, 'POST', '/guilds', { count: 5 })).json).toEqual({ guilds: 5 });
	await client.next('GUILD_CREATE');
	await call(sim, 'POST', '/activity', { eventsPerSecond: 200, mix: { typing: 1 } });
	await client.next('TYPING_START');
	await call(sim, 'POST', '/activity', { eventsPerSecond: 0 });
	const { json: fault } = await call(sim, 'POST', '/faults', { fault: 'latency', ms: 1 });
	expect((await call(sim, 'GET', '/faults')).json.faults).toMatchObject([
		{ id: fault.id, condition: { kind: 'latency', ms: 1 } },
	]);
	expect((await call(sim, 'DELETE', `/faults?id=${fault.id}`)).json).toEqual({ ended: true });
	expect(
		(await call(sim, 'POST', '/faults/schedule', { entries: [{ atMs: 0, command: { fault: 'close', code: 4000 } }] })).json,
	).toEqual({ scheduled: 1 });
	expect(await client.closed).toBe(4000);
});

test.each([
	['/emit', { type: 'lower' }],
	['/emit', { type: 'X', nonsense: 1 }],
	['/faults', { fault: 'no such fault' }],
	['/faults', { fault: 'close', code: 5000 }],
	['/faults', { fault: 'close', code: 4000, shardd: 1 }],
	['/activity', { eventsPerSecond: -1 }],
	['/activity', { eventsPerSecond: 1, mix: { nonsense: 1 } }],
	['/guilds', { count: 'many' }],
	['/faults/schedule', { entries: [] }],
])('POST %s %j is rejected with the reason', async (path, body) => {
	const sim = await simulator();
	const { status, json } = await call(sim, 'POST', path, body);
	expect(status).toBe(400);
	expect(json.problems.length).toBeGreaterThan(0);
});

test('rejects a body that is too large, no JSON, or not sent as JSON', async () => {
	const sim = await simulator();
	const url = `http://127.0.0.1:${sim.port}/simulator/emit`;
	const post = async (body: string, type: string) =>
		(await fetch(url, { method: 'POST', body, headers: { 'content-type': type } })).status;
	expect(await post(`"${'x'.repeat(1024 * 1024)}"`, 'application/json')).toBe(413);
	expect(await post('{', 'application/json')).toBe(400);
	expect(await post('{"type":"X"}', 'text/plain')).toBe(415);
	expect((await call(sim, 'GET', '/nothing')).status).toBe(404);
	expect((await call(sim, 'DELETE', '/state')).status).toBe(405);
});
