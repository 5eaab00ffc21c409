// The shard count of the workers changes while numbered events flow: every one is handled once, in order, and no session is started.
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import {
	expectExactlyOnceInOrder,
	type Handled,
	type ResidentFleet,
	startResidentFleet,
	withoutRepeats,
} from './resident-fleet.js';

const sessions = 4;
const perSecond = 200;

/** Two gateway processes, with two sessions each. */
function startFleet(): Promise<ResidentFleet> {
	return startResidentFleet({
		shards: sessions,
		guilds: 64,
		manager: {
			totalShards: 8,
			shardsPerWorker: 4,
			identifyWindowMs: 50,
			respawn: { initialDelayMs: 1, maxDelayMs: 1 },
			gateway: { mode: 'resident', sessions, shardsPerGateway: 4, delivery: 'at-least-once' },
			env: { DIRECT: '1' },
		},
		simulator: { identifyWindowMs: 50, maxConcurrency: 16 },
	});
}

/** Sends numbered direct messages until the returned function is called, which returns how many there were. */
function talkDirectly({ simulator }: ResidentFleet): () => number {
	let sent = 0;
	const timer = setInterval(() => {
		const data = { channel_id: '77', id: String(++sent), content: String(sent), author: { id: '2', username: 'someone' } };
		simulator.world.emit({ type: 'MESSAGE_CREATE', guildId: null, direct: true, data });
	}, 20);
	return () => {
		clearInterval(timer);
		return sent;
	};
}

/** Everything that was handled, once that is everything: events of guilds, and `direct` messages. */
async function handledOf(fleet: ResidentFleet, direct: number): Promise<Handled[]> {
	const missing = () => {
		const handled = withoutRepeats(fleet.handled());
		return fleet.sent + direct - handled.length;
	};
	await waitFor('every message to be handled', () => missing() <= 0).catch((error: unknown) => {
		const counts = `${missing()} of ${fleet.sent} messages and ${direct} direct ones were not handled, ${gaps(fleet.handled())}`;
		throw new Error(`${counts}\n${fleet.story.slice(-80).join('\n')}`, { cause: error });
	});
	return fleet.handled();
}

/** Where numbers are missing, for the message of a failure. */
function gaps(handled: readonly Handled[]): string {
	const last = new Map<string, number>();
	for (const { guildId, number } of handled) last.set(guildId, Math.max(number, last.get(guildId) ?? 0));
	const has = new Set(handled.map(({ guildId, number }) => `${guildId} ${number}`));
	const lacking = [...last].map(([guildId, through]) => {
		const missing = Array.from({ length: through }, (_, index) => index + 1).filter((number) => !has.has(`${guildId} ${number}`));
		return `${guildId}: ${missing.slice(0, 5).join()} … of ${through} (${missing.length})`;
	});
	return lacking.join('\n');
}

async function expectShards({ manager }: ResidentFleet, totalShards: number): Promise<void> {
	const all = Array.from({ length: totalShards }, (_, id) => id);
	const { gateways = [], shards, manager: figures } = await manager.getStats({ fresh: true });
	expect(manager.totalShards).toBe(totalShards);
	const idsOf = (of: readonly { shardId: number }[]) => of.map(({ shardId }) => shardId).sort((a, b) => a - b);
	expect([figures.totalShards, figures.shardIds, idsOf(shards)]).toEqual([totalShards, all, all]);
	expect(idsOf(gateways.flatMap((gateway) => gateway.shards))).toEqual(all);
	const held = gateways.flatMap((gateway) => gateway.sessions.map(({ id, of }) => [id, of]));
	expect(held.sort(([a = 0], [b = 0]) => a - b)).toEqual([0, 1, 2, 3].map((id) => [id, sessions]));
	expect(await manager.fetchClientValues('shard.count')).toEqual(manager.workers.map(() => totalShards));
	const guilds = (await manager.fetchClientValues('guilds.cache.size')) as number[];
	expect(guilds.reduce((sum, count) => sum + count, 0)).toBe(64);
}

it('grows the workers from 8 to 16 shards and back while every event is handled once, in order', {
	timeout: 180_000,
}, async () => {
	const fleet = await startFleet();
	const stopTalking = fleet.keepTalking(perSecond);
	const hush = talkDirectly(fleet);
	const planned = await fleet.manager.reshard({ shards: 16, dryRun: true });
	expect(planned).toMatchObject({ identifies: 0, shards: { from: 8, to: 16, workers: 4 } });
	const grown = await fleet.manager.reshard({ shards: 16 });
	expect(grown).toMatchObject({ from: 4, to: 4, identifies: 0, shards: { from: 8, to: 16 } });
	await expectShards(fleet, 16);
	const shrunk = await fleet.manager.reshard({ undo: true });
	expect(shrunk).toMatchObject({ shards: { from: 16, to: 8 } });
	await expectShards(fleet, 8);
	stopTalking();
	const direct = hush();
	const handled = await handledOf(fleet, direct);
	expectExactlyOnceInOrder(handled);
	fleet.expectNoIdentifySinceStart();
	expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0 });
	process.stderr.write(
		`notice: at ${perSecond} events/s no event was delivered for at most ${grown.longestPauseMs} and ${shrunk.longestPauseMs} ms\n`,
	);
	await fleet.stop();
});

it('keeps the present workers when a new one dies, and the new ones when a process dies later', {
	timeout: 180_000,
}, async () => {
	const fleet = await startFleet();
	const { manager } = fleet;
	const stopTalking = fleet.keepTalking(perSecond);
	const present = manager.workers.map(({ child }) => child.pid);
	manager.once('worker:spawned', ({ pid }) => process.kill(pid, 'SIGKILL'));
	await expect(manager.reshard({ shards: 16 })).rejects.toMatchObject({
		code: 'RESHARD_FAILED',
		message: expect.stringMatching(
			/^the workers were not replaced, and the present ones keep running: the new worker \d \(shards/,
		),
	});
	fleet.version('more-intents');
	await expect(manager.reshard({ shards: 16 })).rejects.toMatchObject({
		code: 'RESHARD_FAILED',
		message: expect.stringMatching(/was closed with 4014.*; deploy a version that requests more intents/),
	});
	fleet.version('');
	expect(manager.workers.map(({ child }) => child.pid)).toEqual(present);
	await expectShards(fleet, 8);
	await manager.reshard({ shards: 16 });
	const killed = [fleet.pidOf(0), ...fleet.gatewayPids().slice(0, 1)];
	const gateways = fleet.gatewayPids().length;
	for (const pid of killed) process.kill(pid, 'SIGKILL');
	await waitFor('both to be replaced', () => {
		const pids = [manager.workers[0]?.child.pid, ...fleet.gatewayPids()];
		return pids.length === 1 + gateways && pids.every((pid) => typeof pid === 'number' && !killed.includes(pid));
	});
	await fleet.allReady();
	await waitFor('the gateway process', () => manager.status === 'running');
	stopTalking();
	expectExactlyOnceInOrder(withoutRepeats(await handledOf(fleet, 0)));
	await expectShards(fleet, 16);
	fleet.expectNoIdentifySinceStart();
	// A stop in the middle leaves nothing behind.
	const begun = new Promise((resolve) => manager.once('worker:spawned', resolve));
	const last = manager.reshard({ shards: 8 }).catch((error: unknown) => error);
	await begun;
	await fleet.stop();
	expect(await last).toMatchObject({ code: expect.stringMatching(/RESHARD_FAILED|MANAGER_STOPPED/) });
});
