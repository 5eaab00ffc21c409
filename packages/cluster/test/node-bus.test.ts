// Calls between nodes on a real Redis: that they arrive, settle and end, and that a person who has only Redis is not believed.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { MessageSeal } from '../src/bus/message-seal.js';
import { NodeBus } from '../src/bus/node-bus.js';
import type { IoredisPort } from '../src/redis/ioredis-port.js';
import { clusterKeys } from '../src/redis/keys.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from './support/redis-server.js';

interface Methods {
	echo: { params: unknown; result: unknown };
	large: { params: number; result: string };
	never: { params: null; result: null };
}

const secret = 'the token of a bot';
const keys = clusterKeys('bus');

describeWithRedis('calls between nodes', () => {
	let server: RedisServer;
	let attacker: IoredisPort;
	const ports: IoredisPort[] = [];
	const buses: NodeBus<Methods>[] = [];
	let names = 0;
	beforeAll(async () => {
		server = await redisServer();
		attacker = await connectTo(server);
	});
	afterEach(async () => {
		await Promise.all(buses.splice(0).map((bus) => bus.close()));
		await Promise.all(ports.splice(0).map((port) => port.close()));
	});
	afterAll(async () => {
		await attacker?.close();
		await server?.close();
	});

	async function node(seal = new MessageSeal({ secret, applicationId: '1' })) {
		const redis = await connectTo(server);
		ports.push(redis);
		const name = `node${++names}`;
		const seen: { method: string; by: string; aborted: Promise<void> }[] = [];
		const bus = new NodeBus<Methods>({
			redis,
			keys,
			node: name,
			seal,
			openMs: 500,
			serve: (peer, by) => {
				peer.handle('echo', (params) => params);
				peer.handle('large', (length) => 'x'.repeat(length));
				peer.handle('never', (_, context) => {
					const aborted = new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()));
					seen.push({ method: 'never', by, aborted });
					return new Promise(() => {});
				});
			},
		});
		await bus.start();
		buses.push(bus);
		return { bus, name, redis, seen };
	}

	/** Records what is sent to a node. */
	async function tap(name: string) {
		const recorded: Buffer[] = [];
		await attacker.subscribe(keys.inbox(name), (message) => recorded.push(message));
		return recorded;
	}

	it('pass values both ways, side by side, in order', async () => {
		const [a, b] = [await node(), await node()];
		const [toB, toA] = await Promise.all([a.bus.peer(b.name), b.bus.peer(a.name)]);
		expect(
			await Promise.all([toB.request('echo', { n: 1n }), toA.request('echo', new Date(5)), toB.request('echo', [2])]),
		).toEqual([{ n: 1n }, new Date(5), [2]]);
		expect(await a.bus.peer(b.name)).toBe(toB);
	});

	it('pass a large result in parts, none of which is large', async () => {
		const [a, b] = [await node(), await node()];
		const recorded = await tap(a.name);
		const result = await (await a.bus.peer(b.name)).request('large', 3_000_000);
		expect(result).toBe('x'.repeat(3_000_000));
		expect(Math.max(...recorded.map(({ length }) => length))).toBeLessThan(200_000);
	});

	it('end at their deadline and when they are cancelled, on both nodes', async () => {
		const [a, b] = [await node(), await node()];
		const peer = await a.bus.peer(b.name);
		await expect(peer.request('never', null, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
		const controller = new AbortController();
		const call = peer.request('never', null, { signal: controller.signal });
		await expect.poll(() => b.seen.length).toBe(2);
		controller.abort();
		await expect(call).rejects.toMatchObject({ code: 'CALL_CANCELLED' });
		await Promise.all(b.seen.map(({ aborted }) => aborted));
	});

	it('(44) settle when the other node does not listen, is gone, or has lost its connection', async () => {
		const [a, b] = [await node(), await node()];
		await expect(a.bus.peer('absent')).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
		const call = (await a.bus.peer(b.name)).request('never', null);
		await expect.poll(() => b.seen.length).toBe(1);
		a.bus.drop(b.name);
		await expect(call).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });

		const again = await a.bus.peer(b.name);
		expect(await again.request('echo', 1)).toBe(1);
		await b.bus.close();
		await expect(again.request('echo', 2)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
	});

	it('(27) settle when Redis drops the subscriber, and the next one works', async () => {
		const [a, b] = [await node(), await node()];
		const call = (await a.bus.peer(b.name)).request('never', null);
		await expect.poll(() => b.seen.length).toBe(1);
		const outcome = call.catch((error: unknown) => error);
		await attacker.batch([['CLIENT', 'KILL', 'TYPE', 'PUBSUB']]);
		expect(await outcome).toMatchObject({ code: 'CHANNEL_CLOSED' });
		await expect.poll(async () => (await a.bus.peer(b.name)).request('echo', 'again').catch(() => undefined)).toBe('again');
	});

	it('are refused when they are forged, or from another application or another secret', async () => {
		const b = await node();
		const hello = JSON.stringify({ kind: 'hello', from: 'evil', to: b.name, a: 'x' });
		for (const message of [
			Buffer.from(hello),
			Buffer.concat([Buffer.alloc(32), Buffer.from(hello)]),
			Buffer.alloc(3),
			new MessageSeal({ secret: 'another token', applicationId: '1' }).seal(hello),
			new MessageSeal({ secret, applicationId: '2' }).seal(hello),
		]) {
			await attacker.publish(keys.inbox(b.name), message);
		}
		await expect.poll(() => b.bus.counters.forged).toBe(5);
		const foreign = await node(new MessageSeal({ secret, applicationId: '2' }));
		await expect(foreign.bus.peer(b.name)).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
		expect(b.bus.counters).toEqual({ forged: 6, misplaced: 0 });
	});

	it('are refused when they are recorded and sent again, to the same node, to another, or after the link has ended', async () => {
		const [a, b, c] = [await node(), await node(), await node()];
		const recorded = await tap(b.name);
		const peer = await a.bus.peer(b.name);
		await peer.request('echo', 1);
		const call = peer.request('never', null);
		await expect.poll(() => b.seen.length).toBe(1);
		const data = recorded.slice();
		for (const message of data) await attacker.publish(keys.inbox(c.name), message);
		await expect.poll(() => c.bus.counters.misplaced).toBe(data.length);
		// Within the link each has been there: nothing is called twice.
		for (const message of data) await attacker.publish(keys.inbox(b.name), message);
		expect(await peer.request('echo', 2)).toBe(2);
		expect(b.seen).toHaveLength(1);
		b.bus.drop(a.name);
		a.bus.drop(b.name);
		await expect(call).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
		const before = b.bus.counters.misplaced;
		for (const message of data) await attacker.publish(keys.inbox(b.name), message);
		// The recorded hello is answered, but the answer is of no use to its sender.
		await expect.poll(() => b.bus.counters.misplaced).toBe(before + data.length - 1);
		expect(b.seen).toHaveLength(1);
		expect(await (await a.bus.peer(b.name)).request('echo', 3)).toBe(3);
	});
});
