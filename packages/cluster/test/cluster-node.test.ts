// Nodes with fake hosts over a real Redis: joining, moves, and what becomes of a move whose nodes or messages are lost. Numbers in names
// are the rows of the failure table. More random faults: SHARDCTL_CLUSTER_FAULTS=1000, others: SHARDCTL_CLUSTER_SEED=7.
import { createHash } from 'node:crypto';
import { seededRandom, waitFor } from '@shardctl/test-support';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IoredisPort } from '../src/redis/ioredis-port.js';
import { clusterKeys } from '../src/redis/keys.js';
import { ownershipScripts } from '../src/scripts/ownership-scripts.js';
import { FakeFleet } from './support/fake-fleet.js';

import { connectTo, describeWithRedis, type RedisServer, redisServer } from './support/redis-server.js';

const leaseMs = 1200;
const sessions = 4;
const faults = Number(process.env.SHARDCTL_CLUSTER_FAULTS ?? 6);
const handOverHash = createHash('sha1').update(ownershipScripts().handOver.lua).digest('hex');

describeWithRedis('nodes with fake hosts, and moves between them', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let fleet: FakeFleet;
	beforeEach(async () => {
		server = await redisServer({ persist: true });
		redis = await connectTo(server);
		fleet = new FakeFleet(server, { app: 'fleet', sessions, leaseMs });
	});
	afterEach(async () => {
		await fleet?.close();
		await redis?.close();
		await server?.close();
		const { overlaps } = fleet;
		if (overlaps.length > 0) throw new Error(overlaps.slice(0, 10).join('\n'));
	});

	async function start(names: readonly string[]) {
		const nodes = await Promise.all(names.map((name) => fleet.start(name)));
		await waitFor('every session to have an owner', () => fleet.allOwned());
		return nodes as [Awaited<ReturnType<FakeFleet['start']>>, ...Awaited<ReturnType<FakeFleet['start']>>[]];
	}

	it('moves what a draining node has, with its record, in the order of the protocol', async () => {
		const [a, b] = await start(['a', 'b']);
		const moved = fleet.owners().flatMap((owner, session) => (owner === 'a' ? [session] : []));
		expect(moved).toHaveLength(2);
		fleet.longestPauseMs();
		await a.node.update({ draining: true });
		await waitFor('all sessions to be with b', () => fleet.owners().every((owner) => owner === 'b'));
		for (const session of moved) {
			const steps = fleet.log.filter((line) => line.endsWith(` ${session}`));
			const begun = steps.lastIndexOf(`b: prepare ${session}`);
			expect(steps.slice(begun, begun + 2)).toEqual([`b: prepare ${session}`, `a: hand over ${session}`]);
			await waitFor('the new owner to have the record', () => b?.host.owned.get(session)?.record === '{"from":"a"}');
		}
		expect(a.host.owned.size).toBe(0);
		await a.node.stop();
		await waitFor('the node to be gone', async () => (await b?.node.read())?.nodes.length === 1);
	});

	it('(30) gives a move another target when its target dies, and the owner keeps the session until then', async () => {
		const [a, b, c] = await start(['a', 'b', 'c']);
		// b never gets ready.
		if (b) b.host.onPrepare = () => new Promise(() => {});
		const held = fleet.owners().filter((owner) => owner === 'a').length;
		await c?.node.update({ draining: true });
		await waitFor(
			'c to be empty but for what b prepares',
			() => fleet.log.some((line) => line.startsWith('b: prepare')) || fleet.owners().every((owner) => owner !== 'c'),
		);
		await b?.kill();
		await waitFor('all sessions to be with a', () => fleet.owners().every((owner) => owner === 'a'));
		expect(a.host.owned.size).toBeGreaterThanOrEqual(held);
	});

	it('(31) takes a session back with a new epoch when the hand-over has no answer and did not happen, and tries again', async () => {
		const [a, b] = await start(['a', 'b']);
		const session = fleet.owners().indexOf('a');
		const before = a.host.owned.get(session)?.epoch as number;
		let handOvers = 0;
		a.host.onHandOver = async () => {
			// The script is lost on its way, with the connection that it was sent on.
			if (++handOvers > 1) return;
			a.network.set({ lose: ['requests'] });
			void a.network.seen('requests', handOverHash).then(() => a.network.heal());
		};
		await a.node.update({ draining: true });
		await waitFor('the session to be with b', () => fleet.owners()[session] === 'b');
		await waitFor('the new owner to have a later epoch', () => (b?.host.owned.get(session)?.epoch ?? 0) > before);
		expect(handOvers).toBeGreaterThan(1);
	});

	it('(31) leaves a session with its target when the hand-over happened and its answer was lost', async () => {
		const [a] = await start(['a', 'b']);
		const session = fleet.owners().indexOf('a');
		// Otherwise the lost answer would be that Redis does not have the script.
		await redis.batch([['SCRIPT', 'LOAD', ownershipScripts().handOver.lua]]);
		a.host.onHandOver = async (moved) => {
			if (moved !== session) return new Promise(() => {});
			a.network.set({ lose: ['answers'] });
			void a.network
				.seen('requests', handOverHash)
				.then(() => a.network.lost('answers'))
				.then(() => a.network.heal());
		};
		await a.node.update({ draining: true });
		await waitFor('the session to be with b', () => fleet.owners()[session] === 'b');
		await waitFor('a to learn of it', () => !a.host.owned.has(session));
		expect(fleet.owners()[session]).toBe('b');
	});

	it('(21, 35) refuses a name that is taken and another layout, and leaves nothing of the refused node', async () => {
		await start(['a']);
		const nodesBefore = await redis.batch([['HLEN', clusterKeys('fleet').nodes]]);
		await expect(fleet.start('a')).rejects.toMatchObject({ code: 'NODE_NAME_TAKEN', message: expect.stringContaining('--node') });
		const other = new FakeFleet(server, { app: 'fleet', sessions: 8, leaseMs });
		await expect(other.start('b')).rejects.toMatchObject({
			code: 'CLUSTER_MISMATCH',
			message: expect.stringContaining('"sessions":4'),
		});
		const slower = new FakeFleet(server, { app: 'fleet', sessions, leaseMs: 5000 });
		await expect(slower.start('b')).rejects.toMatchObject({
			code: 'CLUSTER_MISMATCH',
			message: expect.stringContaining('--lease'),
		});
		await Promise.all([other.close(), slower.close()]);
		expect(await redis.batch([['HLEN', clusterKeys('fleet').nodes]])).toEqual(nodesBefore);
		expect(fleet.allOwned()).toBe(true);
	});

	it('(22) refuses a node of another protocol, with both versions, and leaves the others undisturbed', async () => {
		await start(['a']);
		const { table } = clusterKeys('fleet');
		await redis.batch([['HSET', table, 'settings', JSON.stringify({ protocol: 1, leaseMs, quietMs: 1 })]]);
		await expect(fleet.start('b')).rejects.toMatchObject({
			code: 'CLUSTER_MISMATCH',
			message: expect.stringMatching(/run shardctl \S+ \(protocol 1\), and this one is shardctl \S+ \(protocol 2\)/),
		});
		expect(fleet.allOwned()).toBe(true);
	});

	it('accepts another layout once every node has left', async () => {
		const [a, b] = await start(['a', 'b']);
		const other = new FakeFleet(server, { app: 'fleet', sessions: 8, leaseMs });
		await a.node.stop();
		await expect(other.start('c')).rejects.toMatchObject({ code: 'CLUSTER_MISMATCH' });
		await b?.node.stop();
		await other.start('c');
		await waitFor('every session to have an owner', () => other.allOwned());
		await other.close();
	});

	it('sends nothing but its renewals while it is idle, however many sessions there are', async () => {
		await fleet.close();
		fleet = new FakeFleet(server, { app: 'idle', sessions: 32, leaseMs });
		await start(['a', 'b']);
		const counts = async () => {
			const [info, fields] = (await redis.batch([
				['INFO', 'commandstats'],
				['HGETALL', clusterKeys('idle').nodes],
			])) as [Buffer, Buffer[]];
			const calls = [...info.toString().matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)];
			const renewals = fields.flatMap((field, index) => (field.toString().startsWith('c:') ? [Number(fields[index + 1])] : []));
			return {
				calls: calls.reduce((sum, [, count]) => sum + Number(count), 0),
				renewals: renewals.reduce((sum, count) => sum + count, 0),
			};
		};
		const settled = await waitFor('the nodes to find nothing to do', async () => {
			const before = await counts();
			await waitFor('some renewals', async () => (await counts()).renewals >= before.renewals + 4);
			const after = await counts();
			// One may be between its renewal and the count.
			return after.calls - before.calls <= after.renewals - before.renewals + 1 ? after : undefined;
		});
		await waitFor('more renewals', async () => (await counts()).renewals >= settled.renewals + 12);
		const after = await counts();
		expect(after.calls - settled.calls).toBeLessThanOrEqual(after.renewals - settled.renewals + 1);
	});

	it('(14) moves the sessions of a node that alone cannot reach Discord, and none when no node can', async () => {
		const [a, b] = await start(['a', 'b']);
		await a.node.update({ reachesDiscord: false });
		await waitFor('all sessions to be with b', () => fleet.owners().every((owner) => owner === 'b'));
		const { version } = await a.node.read();
		await b?.node.update({ reachesDiscord: false });
		// Past the time in which the others may say the same.
		await fleet.renewals(30);
		// Nothing has changed but what b published.
		expect((await a.node.read()).version).toBe(version + 1);
		expect(fleet.owners().every((owner) => owner === 'b')).toBe(true);
	});

	it('(15) stays with what it has while Redis answers late, as long as answers arrive within the lease', async () => {
		const longer = 3000;
		await fleet.close();
		fleet = new FakeFleet(server, { app: 'late', sessions, leaseMs: longer });
		await start(['a', 'b', 'c']);
		const owners = fleet.owners();
		for (const { network } of fleet.nodes) network.set({ delayMs: longer / 12 });
		await fleet.renewals(15);
		expect(fleet.owners()).toEqual(owners);
		expect(fleet.log.filter((line) => line.endsWith(': muted'))).toEqual([]);
	});

	it('(17) keeps its sessions when the wall clock of a node is set an hour on or back', async () => {
		const [a] = await start(['a', 'b']);
		const owners = fleet.owners();
		for (const hours of [1, -1]) {
			a.setWallClock(hours * 3_600_000);
			expect(fleet.owners()).not.toContain('a');
			await waitFor('the next renewal to end the doubt', () => fleet.owners().includes('a'));
			expect(fleet.owners()).toEqual(owners);
		}
	});

	it('(32) leaves a session with one of both when its owner dies while Redis runs the hand-over', async () => {
		const [a, b] = await start(['a', 'b']);
		const dead = a.network.seen('requests', handOverHash).then(() => a.kill());
		await a.node.update({ draining: true });
		await dead;
		await waitFor('all sessions to be with b', () => fleet.owners().every((owner) => owner === 'b'));
		await waitFor('b to have them', () => b?.host.owned.size === sessions);
		expect((await b?.node.read())?.sessions.map(({ owner }) => owner)).toEqual(Array(sessions).fill(b?.node.node));
	});

	it(
		'never lets two nodes act for a session, whatever becomes of nodes, networks and Redis while sessions move',
		async () => {
			const random = seededRandom(Number(process.env.SHARDCTL_CLUSTER_SEED ?? 1));
			await start(['a', 'b', 'c']);
			let started = 0;
			for (let round = 0; round < faults; round++) {
				const victim = fleet.nodes[Math.floor(random() * fleet.nodes.length)] as (typeof fleet.nodes)[number];
				/** In renewals of the others: up to two leases. */
				const lasts = Math.floor(random() * 8 * (fleet.nodes.length - 1));
				// What moves meanwhile; without an answer it is as good as not said.
				const drained = fleet.nodes[Math.floor(random() * fleet.nodes.length)] as (typeof fleet.nodes)[number];
				const draining = random() < 0.6;
				if (draining) void drained.node.update({ draining: true }).catch(() => {});
				if (random() < 0.5) await fleet.renewals(1);
				switch (Math.floor(random() * 6)) {
					case 0:
						await victim.kill();
						await fleet.start(`n${started++}`);
						break;
					case 1:
						victim.network.set({ lose: [random() < 0.5 ? 'requests' : 'answers'] });
						await fleet.renewals(lasts, victim);
						break;
					case 2:
						victim.network.set({ stall: [random() < 0.5 ? 'requests' : 'answers'] });
						await fleet.renewals(lasts, victim);
						break;
					case 3:
						await server.restart();
						break;
					case 4:
						await redis.batch([['FLUSHALL']]).catch(() => {});
						break;
					case 5:
						victim.network.reset();
				}
				for (const { network } of fleet.nodes) network.heal();
				if (draining && fleet.nodes.includes(drained)) {
					await waitFor('the drain to be undone', () => drained.node.update({ draining: false }).then(() => true));
				}
				if (random() < 0.7) await waitFor(`every session to have an owner after round ${round}`, () => fleet.allOwned());
				expect({ round, overlaps: fleet.overlaps }).toEqual({ round, overlaps: [] });
			}
			await waitFor('every session to have an owner', () => fleet.allOwned());
		},
		600_000 + faults * 20_000,
	);
});
