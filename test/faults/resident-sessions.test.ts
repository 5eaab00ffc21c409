// More worker shards than sessions with Discord: each event is handled once, by the worker of its guild's shard, through
// deploys and exits, and Discord sees only the few sessions.
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { isWhole, startFleet } from './fleet.js';
import { expectExactlyOnceInOrder, type ResidentFleet, startResidentFleet } from './resident-fleet.js';

const sessions = 2;
const totalShards = 6;

interface Seen {
	count: number;
	ids: number[];
	guilds: [string, number][];
}

/** Six shards in three workers, which share two sessions. */
async function startFewSessions(): Promise<{ fleet: ResidentFleet; ownerOf: Map<number, readonly number[]> }> {
	const fleet = await startResidentFleet({
		shards: sessions,
		guilds: 60,
		manager: {
			totalShards,
			shardsPerWorker: 2,
			respawn: { initialDelayMs: 1, maxDelayMs: 1 },
			gateway: { mode: 'resident', sessions },
		},
	});
	const ownerOf = new Map(fleet.manager.workers.map(({ child, shardIds }) => [child.pid as number, shardIds]));
	fleet.manager.on('worker:spawned', ({ pid, shardIds }) => ownerOf.set(pid, shardIds));
	return { fleet, ownerOf };
}

/** The shards as the bots see them. */
function seenBy(fleet: ResidentFleet): Promise<Seen[]> {
	return fleet.manager.broadcastEval(
		(client) =>
			({
				count: client.shard?.count,
				ids: client.shard?.ids,
				guilds: client.guilds.cache.map((guild: { id: string; shardId: number }) => [guild.id, guild.shardId]),
			}) as Seen,
	);
}

async function expectEachBotToHaveItsGuilds(fleet: ResidentFleet): Promise<void> {
	const seen = await seenBy(fleet);
	expect(seen.map(({ count, ids }) => [count, ids])).toEqual([
		[6, [0, 1]],
		[6, [2, 3]],
		[6, [4, 5]],
	]);
	const guilds = seen.flatMap((each) => each.guilds.map(([guildId, shardId]) => ({ guildId, shardId, ids: each.ids })));
	expect(guilds.filter(({ guildId, shardId }) => fleet.manager.shardIdForGuild(guildId) !== shardId)).toEqual([]);
	expect(guilds.filter(({ shardId, ids }) => !ids.includes(shardId))).toEqual([]);
	expect(new Set(guilds.map(({ guildId }) => guildId)).size).toBe(60);
	expect(guilds).toHaveLength(60);
}

const count = (fleet: ResidentFleet, type: 'identify' | 'resume') => fleet.simulator.log.entries({ type }).length;

it('handles every event exactly once, on its own shard, through deploys and kills of workers and gateway processes', {
	timeout: 240_000,
}, async () => {
	const { fleet, ownerOf } = await startFewSessions();
	await expectEachBotToHaveItsGuilds(fleet);
	expect(fleet.simulator.log.entries({ type: 'identify' }).map(({ shard }) => shard)).toEqual([
		[0, 2],
		[1, 2],
	]);

	let stopTalking = fleet.keepTalking(200);
	for (let round = 0; round < 3; round++) await fleet.manager.deploy({ parallel: 2, observeMs: 0 });
	stopTalking();
	await fleet.handledAll();
	expect([count(fleet, 'identify'), count(fleet, 'resume')]).toEqual([sessions, 0]);
	expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0 });

	// A worker without events in flight is killed; events after its gateway process noticed it are held.
	const shards = async () => (await fleet.manager.getStats()).gateways?.flatMap((gateway) => gateway.shards) ?? [];
	await waitFor('the workers to have said that they have everything', async () =>
		(await shards()).every(({ bufferedEvents }) => bufferedEvents === 0),
	);
	const killed = fleet.pidOf(1);
	process.kill(killed, 'SIGKILL');
	await waitFor('the gateway process to know', async () =>
		(await shards()).every(({ shardId, worker }) => (shardId === 2 || shardId === 3) !== (worker === 'connected')),
	);
	stopTalking = fleet.keepTalking(200);
	await waitFor('the worker to be back', () => {
		const worker = fleet.manager.workers[1];
		return worker && isWhole(worker) && worker.child.pid !== killed;
	});
	const [gatewayPid] = fleet.gatewayPids() as [number];
	process.kill(gatewayPid, 'SIGKILL');
	await waitFor('the gateway process to be back, with its sessions and workers', async () => {
		const [gateway] = (await fleet.manager.getStats()).gateways ?? [];
		if (!gateway || gateway.pid === gatewayPid || gateway.shards.length !== totalShards) return false;
		return gateway.sessions.every(({ status }) => status === 'ready') && gateway.shards.every((s) => s.worker === 'connected');
	});
	await fleet.manager.restartGateways();
	await fleet.manager.deploy({ observeMs: 0 });
	stopTalking();

	const handled = await fleet.handledAll();
	expectExactlyOnceInOrder(handled);
	const astray = handled.filter(({ guildId, pid }) => !ownerOf.get(pid)?.includes(fleet.manager.shardIdForGuild(guildId)));
	expect(astray).toEqual([]);
	await expectEachBotToHaveItsGuilds(fleet);
	expect([count(fleet, 'identify'), count(fleet, 'resume')]).toEqual([sessions, 2 * sessions]);
	fleet.expectNoIdentifySinceStart();
	const [gateway] = (await fleet.manager.getStats()).gateways ?? [];
	expect(gateway?.sessions.map(({ id, shardIds, resumes }) => [id, shardIds, resumes])).toEqual([
		[0, [0, 2, 4], 1],
		[1, [1, 3, 5], 1],
	]);
	await fleet.stop();
});

it('starts one new session with more intents for all workers that request them at once', { timeout: 120_000 }, async () => {
	const { fleet } = await startFewSessions();
	const stopTalking = fleet.keepTalking(100);
	fleet.version('more-intents');
	await fleet.manager.deploy({ parallel: 3, observeMs: 0 });
	stopTalking();
	await fleet.handledAll();
	expect(fleet.simulator.log.entries({ type: 'identify' }).map((entry) => entry.intents)).toEqual([
		33_281, 33_281, 33_283, 33_283,
	]);
	expect(fleet.simulator.violations({ hardOnly: true })).toEqual([]);
	await expectEachBotToHaveItsGuilds(fleet);
	await fleet.stop();
});

it('starts new sessions when Discord has ended the old ones, and each shard continues with its part', {
	timeout: 120_000,
}, async () => {
	const { fleet } = await startFewSessions();
	fleet.simulator.faults.invalidate({ resumable: false });
	await waitFor('new sessions', async () => (await fleet.totals()).identifies === 2 * sessions);
	await waitFor('Discord to be there', async () => {
		const [gateway] = (await fleet.manager.getStats()).gateways ?? [];
		return gateway?.sessions.every(({ status }) => status === 'ready');
	});
	for (let guild = 0; guild < 60; guild++) fleet.say(guild);
	expectExactlyOnceInOrder(await fleet.handledAll());
	await expectEachBotToHaveItsGuilds(fleet);
	await fleet.stop();
});

it('makes all workers of a session wait for its turn to identify, however long that takes', { timeout: 120_000 }, async () => {
	const identifyWindowMs = 4000;
	const fleet = await startFleet({
		simulator: { guilds: 8, shards: 4, maxConcurrency: 1, identifyWindowMs },
		manager: {
			totalShards: 8,
			gateway: { mode: 'resident', sessions: 4 },
			identifyWindowMs,
			readyTimeoutMs: 2 * identifyWindowMs,
		},
	});
	expect(fleet.manager.workers.map(({ child }) => child.epoch)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
	expect(fleet.simulator.log.entries({ type: 'identify' })).toHaveLength(4);
	expect(fleet.simulator.violations({ hardOnly: true })).toEqual([]);
	await fleet.stop();
});
