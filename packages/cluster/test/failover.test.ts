// What a failover of Redis to a replica that has missed writes does to nodes with fake hosts. Numbers are the rows of the failure table.
import { waitFor } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IoredisPort } from '../src/redis/ioredis-port.js';
import { FakeFleet } from './support/fake-fleet.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from './support/redis-server.js';
import { type TcpProxy, tcpProxy } from './support/tcp-proxy.js';

const leaseMs = 1200;
const sessions = 4;
const master = 'shardctl';

describeWithRedis('a failover of Redis', () => {
	let first: RedisServer;
	let second: RedisServer;
	/** Between the master and its replica. */
	let replication: TcpProxy;
	let fleet: FakeFleet;
	const closing: (() => Promise<unknown>)[] = [];
	const opened = <T extends { close(): Promise<unknown> }>(what: T): T => {
		closing.unshift(() => what.close());
		return what;
	};
	const port = async (server: Pick<RedisServer, 'url'>) => opened(await connectTo(server));

	beforeEach(async () => {
		first = opened(await redisServer());
		replication = opened(await tcpProxy(first.port));
		second = opened(await redisServer({ args: ['--replicaof', '127.0.0.1', String(replication.port)] }));
	});
	afterEach(async () => {
		for (const close of closing.splice(0)) await close();
		if (fleet.overlaps.length > 0) throw new Error(fleet.overlaps.slice(0, 10).join('\n'));
	});

	async function synced(redis: IoredisPort) {
		await waitFor('the replica to have what the master has', async () => {
			const [info] = (await redis.batch([['INFO', 'replication']])) as [Buffer];
			return /master_link_status:up/.test(info.toString());
		});
	}

	async function start(maxLagMs = 0) {
		fleet = opened(new FakeFleet(first, { app: 'failover', sessions, leaseMs, maxLagMs }));
		await Promise.all(['a', 'b', 'c'].map((name) => fleet.start(name)));
		await waitFor('every session to have an owner', () => fleet.allOwned());
	}
	const epochs = () => fleet.nodes.flatMap(({ node }) => node.state.sessions.map(({ session, epoch }) => ({ session, epoch })));

	it('(10) by Sentinel that loses a takeover makes no second owner, and epochs still grow', async () => {
		const replica = await port(second);
		await synced(replica);
		const sentinel = opened(
			await redisServer({
				sentinel: [
					`sentinel monitor ${master} 127.0.0.1 ${first.port} 1`,
					`sentinel down-after-milliseconds ${master} 1000`,
					`sentinel failover-timeout ${master} 5000`,
				],
			}),
		);
		const sentinels = await port(sentinel);
		await start();
		await waitFor('Sentinel to know the replica', async () => {
			const [replicas] = (await sentinels.batch([['SENTINEL', 'REPLICAS', master]])) as [unknown[]];
			return replicas.length === 1;
		});
		// From here on the replica misses everything, such as that the sessions of c were taken over.
		replication.set({ stall: ['answers'] });
		await fleet.nodes.find(({ name }) => name === 'c')?.kill();
		await waitFor('the sessions of c to have another owner', () => fleet.allOwned());
		const before = epochs();
		first.kill('SIGKILL');
		const promoted = await waitFor('Sentinel to promote the replica', async () => {
			const [address] = (await sentinels.batch([['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master]])) as [Buffer[]];
			const at = Number(address[1]?.toString());
			return at === first.port ? undefined : at;
		});
		expect(promoted).toBe(second.port);
		for (const { network } of fleet.nodes) network.retarget(promoted);
		await waitFor('every session to have an owner', () => fleet.allOwned());
		for (const { session, epoch } of before) {
			expect(epochs().find((now) => now.session === session)?.epoch).toBeGreaterThanOrEqual(epoch);
		}
		// Those that a takeover follows now have a higher one.
		await fleet.nodes.find(({ name }) => name === 'b')?.kill();
		const [a] = fleet.nodes;
		await waitFor('a to own every session', () => a?.node.state.sessions.length === sessions && fleet.allOwned());
		const last = Math.max(...before.map(({ epoch }) => epoch));
		const taken = before.filter(({ epoch, session }) => (a?.node.state.holding(session)?.epoch ?? 0) > epoch);
		expect(taken.length).toBeGreaterThan(0);
		expect(Math.max(...epochs().map(({ epoch }) => epoch))).toBeGreaterThan(last);
	});

	it('(11) mutes a node that was cut off together with the old master, which refuses writes, and the others take over', async () => {
		const old = await port(first);
		const next = await port(second);
		await synced(next);
		await old.batch([
			['CONFIG', 'SET', 'min-replicas-to-write', '1'],
			['CONFIG', 'SET', 'min-replicas-max-lag', '1'],
		]);
		await waitFor('the master to accept writes', () => old.batch([['SET', 'test', '1']]));
		await start(1000);
		const [a, ...others] = fleet.nodes;
		const lost = fleet.owners().flatMap((owner, session) => (owner === a?.name ? [session] : []));
		expect(lost.length).toBeGreaterThan(0);
		await next.batch([['REPLICAOF', 'NO', 'ONE']]);
		for (const { network } of others) network.retarget(second.port);
		await waitFor('the old master to refuse the renewals of a', () => a?.node.state.muted);
		await waitFor('the others to own every session', () =>
			fleet.owners().every((owner) => owner !== undefined && owner !== a?.name),
		);
	});
});
