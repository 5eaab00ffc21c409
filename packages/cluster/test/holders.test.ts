// Nodes as real processes with a lease of 2 s, on a real Redis, each behind a network of its own: whatever is killed, stopped, cut off or
// restarted, no session is acted for by two nodes, and each is acted for again; and IDENTIFYs of one key are a window apart. Numbers in
// names are the rows of the failure table in failures.md. More random faults: SHARDCTL_CLUSTER_FAULTS=1000, others: SHARDCTL_CLUSTER_SEED=7.
import { seededRandom } from '@shardctl/test-support';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { IoredisPort } from '../src/redis/ioredis-port.js';
import { type Holder, Holders } from './support/holders.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from './support/redis-server.js';

const leaseMs = 2000;
const validMs = leaseMs * 0.75;
const sessions = 6;
const faults = Number(process.env.SHARDCTL_CLUSTER_FAULTS ?? 4);

describeWithRedis('nodes as processes that are killed, stopped and cut off from Redis', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let holders: Holders;
	let fleet: Holder[];

	// One fleet for all: what a test leaves is where the next one begins.
	beforeAll(async () => {
		server = await redisServer({ persist: true });
		redis = await connectTo(server);
		holders = new Holders(server.port, { app: 'test', sessions, leaseMs, identifyShare: 0.3 });
		const since = Holders.now();
		fleet = await Promise.all(['a', 'b', 'c'].map((name) => holders.start(name)));
		await holders.acting(since);
	});

	afterAll(async () => {
		await holders?.close();
		await redis?.close();
		await server?.close();
	});

	afterEach(() => {
		const violations = [...holders.overlaps, ...holders.identifyViolations()];
		if (violations.length > 0) throw new Error(violations.slice(0, 10).join('\n'));
	});

	const sessionsOf = (owners: readonly (string | undefined)[], name: string) =>
		owners.flatMap((owner, session) => (owner === name ? [session] : []));
	/** A holder that has sessions, which these are, and the others. */
	async function victim() {
		const owners = await holders.acting(Holders.now());
		const one = fleet.find(({ name }) => name === owners[0]) as Holder;
		const others = fleet.filter((holder) => holder !== one).map(({ name }) => name);
		return { one, others, owners, sessions: sessionsOf(owners, one.name) };
	}
	/** Until the machine's clock is this much further, as the processes that run have seen it. */
	const pass = (ms: number, running: readonly string[]) => holders.reported(Holders.now() + ms * 1000, running);

	it('(28) spreads the sessions over nodes that start at once on an empty Redis', async () => {
		const owners = await holders.acting(0);
		expect(fleet.map(({ name }) => sessionsOf(owners, name).length)).toEqual([2, 2, 2]);
	});

	it('(6) leaves a node alone that is stopped for a part of a lease', async () => {
		const { one, others, owners } = await victim();
		one.kill('SIGSTOP');
		await pass(leaseMs / 4, others);
		one.kill('SIGCONT');
		expect(await holders.acting(Holders.now())).toEqual(owners);
	});

	it('(5) lets no node act after it was stopped for longer than its lease', async () => {
		const { one, sessions: lost } = await victim();
		const stopped = Holders.now();
		one.kill('SIGSTOP');
		await holders.acting(stopped, [one.name]);
		const woken = Holders.now();
		one.kill('SIGCONT');
		await holders.noted(one.name, 'disown', woken, lost);
		expect(holders.lastActOf(one.name, lost)).toBeLessThan(woken);
	});

	it('(12, 13) mutes a node that Redis does not answer, whose sessions go to the others and stay there', async () => {
		const { one, sessions: lost } = await victim();
		one.network.set({ lose: ['answers'] });
		const cut = Holders.now();
		await holders.acting(cut, [one.name]);
		// Its last renewal was sent before the cut.
		expect(holders.lastActOf(one.name, lost)).toBeLessThan(cut + validMs * 1000);
		const healed = Holders.now();
		one.network.heal();
		await holders.noted(one.name, 'disown', healed, lost);
		expect(holders.lastActOf(one.name, lost)).toBeLessThan(healed);
	});

	it('(2, 3) gives the sessions of a killed node to the others', async () => {
		const { one } = await victim();
		one.kill('SIGKILL');
		expect(await holders.acting(Holders.now(), [one.name])).not.toContain(one.name);
		fleet[fleet.indexOf(one)] = await holders.start('d');
	});

	it('(7, 8, 9, 16, 26) gives nothing away when Redis is stopped, restarts with or without its data, or loses its scripts', async () => {
		const { owners } = await victim();
		const same = async (what: string, since = Holders.now()) =>
			expect({ what, owners: await holders.acting(since) }).toEqual({ what, owners });
		await redis.batch([['SCRIPT', 'FLUSH']]);
		await same('script cache lost');
		await redis.batch([['FLUSHALL']]);
		await same('FLUSHALL');
		const stopped = Holders.now();
		server.kill('SIGSTOP');
		await Promise.all(fleet.map(({ name }) => holders.noted(name, 'muted', stopped)));
		const muted = Holders.now();
		await pass(
			leaseMs,
			fleet.map(({ name }) => name),
		);
		expect(holders.owners(muted)).toEqual(Array.from({ length: sessions }, () => undefined));
		server.kill('SIGCONT');
		await same('stopped for longer than a lease');
		await server.restart();
		await same('restarted with its data');
		await redis.ready(20_000);
		await redis.batch([['FLUSHALL']]);
		await server.restart();
		await same('restarted empty');
	});

	it(
		'never has two nodes that act for a session, nor two IDENTIFYs in a window, whatever random faults there are',
		async () => {
			const random = seededRandom(Number(process.env.SHARDCTL_CLUSTER_SEED ?? 1));
			let next = 0;
			for (let round = 0; round < faults; round++) {
				const index = Math.floor(random() * fleet.length);
				const victim = fleet[index] as Holder;
				const others = fleet.filter((holder) => holder !== victim).map(({ name }) => name);
				const lastsMs = random() * leaseMs * 2;
				const silence = () => (random() < 0.5 ? 'requests' : 'answers');
				switch (Math.floor(random() * 9)) {
					case 0:
						victim.kill('SIGKILL');
						fleet[index] = await holders.start(`n${next++}`);
						break;
					case 1:
						victim.kill('SIGSTOP');
						await pass(lastsMs, others);
						victim.kill('SIGCONT');
						break;
					case 2:
						victim.network.set({ lose: [silence()] });
						await pass(lastsMs, others);
						victim.network.heal();
						break;
					case 3:
						victim.network.set({ stall: [silence()] });
						await pass(lastsMs, others);
						victim.network.heal();
						break;
					case 4:
						for (const { network } of fleet) network.set({ delayMs: 200 });
						await pass(lastsMs / 2, others);
						for (const { network } of fleet) network.heal();
						break;
					case 5:
						await server.restart();
						break;
					case 6:
						victim.network.reset();
						break;
					case 7:
						await redis.batch([['FLUSHALL']]).catch(() => {});
						break;
					case 8:
						server.kill('SIGSTOP');
						await pass(lastsMs, others);
						server.kill('SIGCONT');
				}
				if (random() < 0.7) await holders.acting(Holders.now());
				expect({ round, overlaps: holders.overlaps, identifies: holders.identifyViolations() }).toEqual({
					round,
					overlaps: [],
					identifies: [],
				});
			}
			await holders.acting(Holders.now());
			if (faults > 100) {
				process.stderr.write(
					`${faults} faults: ${holders.overlaps.length} double owners, ${holders.identifies.length} identifies, ` +
						`${holders.identifyViolations().length} of them too early\n`,
				);
			}
		},
		600_000 + faults * 20_000,
	);
});
