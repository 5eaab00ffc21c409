// Hostile input: 10,000 frames that no client should send, each on its own connection, and a part of them over real
// sockets with half-open and broken connections among them. Each gets the matching close code, and a regular client is
// served all the while. `FUZZ_INPUTS=10000` sends as many over sockets as well; so for requests with odd targets, headers and framings.
import { systemClock } from '@shardctl/core';
import { defaultRules, GatewayConnection, SessionStore } from '@shardctl/gateway-protocol';
import { type Attack, hostileBodies, hostileFrames, hostileRequests, postBody } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import WebSocket from 'ws';
import { randomStream } from '../src/world/random.js';
import { connected, simulator } from './raw-client.js';

const hostile = hostileFrames(randomStream(20_261_120));

async function attack(port: number, { data, codes }: Attack): Promise<string | undefined> {
	const socket = new WebSocket(`ws://127.0.0.1:${port}/?v=10&encoding=json`);
	socket.on('error', () => {});
	socket.once('open', () => socket.send(data));
	const code = await new Promise<number>((resolve) => socket.once('close', resolve));
	return codes.includes(code) ? undefined : `${String(data).slice(0, 80)} → ${code}, not ${codes.join(' or ')}`;
}

/** The close code of the simulator's gateway for a frame, without sockets. */
function closeCodeOf(sessions: SessionStore, data: string | Buffer): number | undefined {
	let code: number | undefined;
	const info = { id: 1, remoteAddress: '', host: '', path: '/', version: 10, compression: 'none' } as const;
	const transport = { send: () => {}, close: (given: number) => (code = given), terminate: () => {} };
	const connection = new GatewayConnection(info, transport, {
		clock: systemClock,
		backend: {
			authenticate: () => false,
			grantedIntents: () => 0,
			identify: () => ({ accept: true }),
			sessionStarted: () => {},
			sessionEnded: () => {},
			request: () => {},
		},
		sessions,
		rules: defaultRules,
		observe: () => {},
		onClosed: () => {},
		enablePayloadCompression: () => {},
	});
	connection.receive(Buffer.from(data), typeof data !== 'string');
	connection.closed(1006);
	return code;
}

test('10,000 malformed, oversized and binary frames each get the right close code', () => {
	const sessions = new SessionStore({ clock: systemClock, ttlMs: 1000, onEnd: () => {} });
	const wrong: string[] = [];
	for (let n = 0; n < 10_000; n++) {
		const { data, codes } = hostile.attack();
		if (codes.includes(1009)) continue;
		const code = closeCodeOf(sessions, data);
		if (code === undefined || !codes.includes(code))
			wrong.push(`${String(data).slice(0, 80)} → ${code}, not ${codes.join(' or ')}`);
	}
	expect(wrong).toEqual([]);
	expect(sessions.size).toBe(0);
});

test('hostile frames, half-open and broken connections over real sockets never stop the simulator', async () => {
	const sim = await simulator({ guilds: 2, logCapacity: 1000, heartbeatGraceFactor: 1000 });
	// It sends no heartbeat during the attack, however slow the machine is; hence the long timeout above.
	const decent = await connected(sim);
	const wrong: string[] = [];
	let left = Number(process.env.FUZZ_INPUTS ?? 1500);
	const worker = async () => {
		while (left-- > 0) {
			if (left % 5 === 0) await hostile.brokenConnection(sim.port);
			else {
				const problem = await attack(sim.port, hostile.attack());
				if (problem) wrong.push(problem);
			}
		}
	};
	await Promise.all(Array.from({ length: 32 }, worker));
	expect(wrong).toEqual([]);
	await decent.settled();
	sim.emit('MESSAGE_CREATE', { content: 'still here' });
	expect((await decent.next('MESSAGE_CREATE')).d.content).toBe('still here');
	expect(sim.state().sessions).toHaveLength(1);
	expect(sim.log.entries().length).toBeLessThanOrEqual(1100);
});

test('responds to odd request targets, headers and framings, and never stops', async () => {
	const sim = await simulator({ guilds: 2, logCapacity: 1000, rest: { invalidLimit: 1_000_000, globalPerSecond: 1_000_000 } });
	const requests = hostileRequests(randomStream(20_261_130));
	const statuses = new Map<number, number>();
	let left = Number(process.env.FUZZ_INPUTS ?? 1500);
	const worker = async () => {
		while (left-- > 0) {
			const status = await requests.send(sim.port);
			statuses.set(status, (statuses.get(status) ?? 0) + 1);
		}
	};
	await Promise.all(Array.from({ length: 32 }, worker));
	expect(statuses.get(500)).toBeUndefined();
	expect(statuses.get(400)).toBeGreaterThan(100);
	const client = await connected(sim);
	sim.emit('MESSAGE_CREATE', { content: 'still here' });
	expect((await client.next('MESSAGE_CREATE')).d.content).toBe('still here');
});

/** A right body of each route of the control API. */
const examples: Record<string, readonly object[]> = {
	emit: [
		{
			type: 'MESSAGE_CREATE',
			data: { content: 'x', channel_id: '1', guild_id: '2', author: { id: '3' } },
			guildId: '1',
			userId: '2',
		},
		{
			type: 'INTERACTION_CREATE',
			data: { type: 2, name: 'ping', options: [{ name: 'a', type: 3, value: 'b' }], channel_id: '1' },
		},
		{ type: 'INTERACTION_CREATE', data: { type: 3, custom_id: 'x', message_id: '1', values: ['a'] } },
		{ type: 'INTERACTION_CREATE', data: { type: 5, custom_id: 'x', fields: { a: 'b' }, components: [] } },
		{ type: 'INTERACTION_CREATE', data: { type: 2, data: { id: '1', name: 'x', resolved: {} }, member: {}, user: {} } },
		{ type: 'GUILD_CREATE', data: { id: '1234567890', name: 'x', members: [{ user: { id: '1' } }], channels: [], roles: [] } },
		{ type: 'GUILD_DELETE', data: { id: '1234567890' } },
		{ type: 'VOICE_STATE_UPDATE', data: { guild_id: '1', channel_id: null, user_id: '2' } },
		{ type: 'ANYTHING', data: { guild_id: '1', nested: { list: [1, 2, 3] } } },
	],
	faults: [
		{ fault: 'close', code: 4000, shard: 0 },
		{ fault: 'latency', ms: 1, jitterMs: 1, forMs: 1 },
		{ fault: 'guild-outage', guildIds: ['1'], forMs: 1, over: true },
		{ fault: 'rest-status', status: 500, path: '/never', method: 'GET', share: 0, forMs: 1 },
		{ fault: 'rest-rate-limit', scope: 'shared', retryAfterMs: 1, path: '/never', forMs: 1 },
		{ fault: 'recommend-shards', shards: 1 },
		{ fault: 'max-concurrency', value: 1 },
	],
	'faults/schedule': [{ entries: [{ atMs: 1, everyMs: 10_000, times: 1, command: { fault: 'reconnect', shard: 7 } }] }],
	activity: [{ eventsPerSecond: 0, mix: { message: 1 } }],
	guilds: [{ count: 4 }],
};

test('responds to random bodies on every route of its control API, keeps its memory, and never stops', async () => {
	const sim = await simulator({ guilds: 4, logCapacity: 1000, heartbeatGraceFactor: 1000 });
	const client = await connected(sim);
	const random = randomStream(20_261_131);
	const routes = Object.keys(examples);
	const bodies = new Map(routes.map((route) => [route, hostileBodies(random, examples[route] ?? [])]));
	const statuses = new Map<string, number>();
	const before = process.memoryUsage.rss();
	let left = Number(process.env.FUZZ_INPUTS ?? 400) * routes.length;
	const worker = async () => {
		while (left-- > 0) {
			const route = routes[left % routes.length] as string;
			const body = bodies.get(route)?.body() ?? '';
			const status = await postBody(`http://127.0.0.1:${sim.port}/simulator/${route}`, body);
			statuses.set(`${route} ${status}`, (statuses.get(`${route} ${status}`) ?? 0) + 1);
			if (left % 50 === 0) sim.faults.clear();
		}
	};
	await Promise.all(Array.from({ length: 16 }, worker));
	sim.faults.clear();
	sim.activity.stop();
	expect(await postBody(`http://127.0.0.1:${sim.port}/simulator/guilds`, '{"count":4}')).toBe(200);
	const seen = [...statuses.keys()];
	expect(seen.filter((entry) => / (?:0|5\d\d)$/.test(entry))).toEqual([]);
	for (const route of routes) expect(seen).toEqual(expect.arrayContaining([`${route} 200`, `${route} 400`]));
	expect(process.memoryUsage.rss() - before).toBeLessThan(300 * 2 ** 20);
	const late = await connected(sim);
	sim.emit('MESSAGE_CREATE', { content: 'still here' });
	expect((await late.next('MESSAGE_CREATE')).d.content).toBe('still here');
	await client.close();
});
