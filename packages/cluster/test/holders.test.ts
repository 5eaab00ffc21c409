// Nodes as real processes with a lease of 2 s, on a real Redis, each behind a network of its own: whatever is killed, stopped, cut off or
// restarted, no session is acted for by two nodes, and each is acted for again. Numbers in names are the rows of the failure table in
// README.md. More random faults: SHARDCTL_CLUSTER_FAULTS=1000, others: SHARDCTL_CLUSTER_SEED=7.
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom, waitFor } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IoredisPort } from '../src/redis/ioredis-port.js';
import { type Holder, Holders } from './support/holders.js';

import { connectTo, describeWithRedis, type RedisServer, redisServer } from './support/redis-server.js';

const leaseMs = 2000;
const validMs = leaseMs * 0.75;
const sessions = 6;

describeWithRedis('nodes as processes that are killed, stopped and cut off from Redis', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let holders: Holders;
	let fleet: Holder[];

	beforeEach(async () => {
		server = await redisServer({ persist: true });
		redis = await connectTo(server);
		holders = new Holders(server.port, { app: 'test', sessions, leaseMs });
		const since = Holders.now();
		fleet = await Promise.all(['a', 'b', 'c'].map((name) => holders.start(name)));
		await holders.acting(since);
	});

	afterEach(async () => {
		await holders?.close();
		await redis?.close();
		await server?.close();
		const overlaps = holders?.overlaps() ?? [];
		if (overlaps.length > 0) throw new Error(overlaps.join('\n'));
	});

	const pick = (index: number) => fleet[index] as Holder;
	const sessionsOf = (owners: readonly (string | undefined)[], name: string) =>
		owners.flatMap((owner, session) => (owner === name ? [session] : []));

	it('(2, 28) spreads the sessions, and gives those of a killed node to the others', async () => {
		const owners = await holders.acting(0);
		expect(['a', 'b', 'c'].map((name) => sessionsOf(owners, name).length)).toEqual([2, 2, 2]);
		pick(1).kill('SIGKILL');
		const after = await holders.acting(Holders.now(), ['b']);
		expect(after).not.toContain('b');
	});

	it('(5, 6) leaves a node that is stopped for half a lease alone, and one that was stopped for longer does not act after it wakes', async () => {
		const owners = await holders.acting(0);
		pick(0).kill('SIGSTOP');
		await delay(leaseMs / 4);
		pick(0).kill('SIGCONT');
		await waitFor('the node to act again', () => holders.actsOf('a', Holders.now() - 100_000) > 0);
		expect(await holders.acting(Holders.now())).toEqual(owners);

		pick(0).kill('SIGSTOP');
		const lost = sessionsOf(owners, 'a');
		await holders.acting(Holders.now(), ['a']);
		const taken = Holders.now();
		pick(0).kill('SIGCONT');
		await delay(500);
		expect(holders.actsOf('a', taken, lost)).toBe(0);
	});

	it('(12, 13) mutes a node that Redis does not answer, whose sessions go to the others', async () => {
		const owners = await holders.acting(0);
		pick(2).network.set({ lose: ['answers'] });
		const cut = Holders.now();
		await holders.acting(cut, ['c']);
		const mutedBy = cut + (validMs + 400) * 1000;
		expect(holders.actsOf('c', mutedBy, sessionsOf(owners, 'c'))).toBe(0);
		const healed = Holders.now();
		pick(2).network.heal();
		await delay(800);
		expect(holders.actsOf('c', healed, sessionsOf(owners, 'c'))).toBe(0);
	});

	it('(7, 8, 9, 16, 26) gives nothing away when Redis is stopped, restarts with or without its data, or loses its scripts', async () => {
		const owners = await holders.acting(0);
		const same = async (what: string, since = Holders.now()) =>
			expect({ what, owners: await holders.acting(since) }).toEqual({ what, owners });
		await redis.batch([['SCRIPT', 'FLUSH']]);
		await same('script cache lost');
		await redis.batch([['FLUSHALL']]);
		await same('FLUSHALL');
		server.kill('SIGSTOP');
		await delay(leaseMs + 500);
		// Nothing acts any more.
		const stopped = Holders.now();
		await delay(100);
		expect(holders.owners(stopped)).toEqual(Array.from({ length: sessions }, () => undefined));
		server.kill('SIGCONT');
		await same('stopped for longer than a lease');
		await server.restart();
		await same('restarted with its data');
		await redis.ready(20_000);
		await redis.batch([['FLUSHALL']]);
		await server.restart();
		await same('restarted empty');
	});

	it('never has two nodes that act for a session, whatever random faults there are', async () => {
		const rounds = Number(process.env.SHARDCTL_CLUSTER_FAULTS ?? 4);
		const random = seededRandom(Number(process.env.SHARDCTL_CLUSTER_SEED ?? 1));
		let next = 0;
		for (let round = 0; round < rounds; round++) {
			const index = Math.floor(random() * fleet.length);
			const victim = pick(index);
			const lasts = random() * leaseMs * 2;
			switch (Math.floor(random() * 7)) {
				case 0:
					victim.kill('SIGKILL');
					fleet[index] = await holders.start(`n${next++}`);
					break;
				case 1:
					victim.kill('SIGSTOP');
					await delay(lasts);
					victim.kill('SIGCONT');
					break;
				case 2:
					victim.network.set({ lose: random() < 0.5 ? ['requests'] : ['answers'] });
					await delay(lasts);
					victim.network.heal();
					break;
				case 3:
					victim.network.set({ stall: random() < 0.5 ? ['requests'] : ['answers'] });
					await delay(lasts);
					victim.network.heal();
					break;
				case 4:
					for (const { network } of fleet) network.set({ delayMs: 200 });
					await delay(lasts / 2);
					for (const { network } of fleet) network.heal();
					break;
				case 5:
					await server.restart();
					break;
				case 6:
					victim.network.reset();
			}
			if (random() < 0.7) await holders.acting(Holders.now());
			expect({ round, overlaps: holders.overlaps() }).toEqual({ round, overlaps: [] });
		}
		await holders.acting(Holders.now());
	});
});
