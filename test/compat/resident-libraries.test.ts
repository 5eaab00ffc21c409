// Each gateway library through resident gateway processes: its bot becomes ready with its guilds, dies, is deployed, and sees its
// gateway process restart and die, while Discord sees one session and every numbered event is handled exactly once.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { isWhole } from '../faults/fleet.js';
import { expectExactlyOnceInOrder, type ResidentFleet, startResidentFleet, withoutRepeats } from '../faults/resident-fleet.js';

const shards = 2;
/** A Python with discord.py: the system's own first, because Debian installs the package there. */
const python = ['/usr/bin/python3', 'python3'].find((command) => spawnSync(command, ['-c', 'import discord']).status === 0);
if (!python) console.error('NOTICE: discord.py is not installed (apt install python3-discord); its test is skipped.');

function bot(name: string): string {
	return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
}

async function start(file: string): Promise<ResidentFleet> {
	return startResidentFleet({
		shards,
		guilds: 12,
		bot: bot(file),
		manager: { env: { PYTHON: python ?? '' }, respawn: { initialDelayMs: 1, maxDelayMs: 1, maxRestarts: 1000 } },
	});
}

/** The guilds of all workers, as the library has them. */
async function guildsOf({ manager }: ResidentFleet): Promise<unknown[]> {
	const perShard = await Promise.all(Array.from({ length: shards }, (_, shard) => manager.call('guilds', [], { shard })));
	return (perShard as { id: string }[][]).flat().sort((a, b) => (a.id < b.id ? -1 : 1));
}

function guildsOfWorld({ simulator: { world } }: ResidentFleet): unknown[] {
	const guilds = [...world.guilds.ids()].map((id) => {
		const guild = world.guilds.read(id) as NonNullable<ReturnType<typeof world.guilds.read>>;
		return {
			id,
			name: guild.fields.name,
			channels: guild.channels.size,
			roles: guild.roles.size,
			memberCount: guild.memberCount,
		};
	});
	return guilds.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Whether the gateway process has a connection of a worker, and how many times its shards have identified. */
async function connectionOf({ manager }: ResidentFleet, workerId: number) {
	const shardIds = manager.workers[workerId]?.shardIds ?? [];
	const gateways = (await manager.getStats()).gateways ?? [];
	const shards = gateways.flatMap((gateway) => gateway.shards).filter(({ shardId }) => shardIds.includes(shardId));
	return {
		connected: shards.some(({ worker }) => worker === 'connected'),
		identifies: shards.reduce((sum, { workerIdentifies }) => sum + workerIdentifies, 0),
	};
}

async function killWorker(fleet: ResidentFleet, workerId: number): Promise<void> {
	const pid = fleet.pidOf(workerId);
	const { identifies } = await connectionOf(fleet, workerId);
	process.kill(pid, 'SIGKILL');
	const worker = fleet.manager.workers[workerId];
	await waitFor(`worker ${workerId} to be gone`, () => worker?.child.pid !== pid);
	// A program that the worker had started may hold the connection a moment longer; events sent to it then count as lost.
	await waitFor(`the connection of worker ${workerId} to be over`, async () => {
		const now = await connectionOf(fleet, workerId);
		return !now.connected || now.identifies > identifies;
	});
	// These wait for the next process.
	for (let guild = 0; guild < 24; guild++) fleet.say(guild);
	await waitFor(`worker ${workerId} to be back`, () => worker && isWhole(worker));
}

describe.each([
	['discord.js', 'discord-js-bot.cjs'],
	['@discordjs/core', 'core-bot.mjs'],
	['eris', 'eris-bot.mjs'],
	['oceanic.js', 'oceanic-bot.mjs'],
	// It starts again when the gateway process dies in the middle of its RESUME, and may then receive its last events twice.
	...(python ? [['discord.py', 'discord-py-bot.mjs', { repeats: true as boolean }] as const] : []),
] as const)('a bot with %s, through resident gateway processes', (_, file, { repeats } = { repeats: false }) => {
	it('handles every event exactly once through kills, a deploy and restarts of its gateway process', async () => {
		const fleet = await start(file);
		const world = guildsOfWorld(fleet);
		expect(await guildsOf(fleet)).toEqual(world);

		for (let guild = 0; guild < 24; guild++) fleet.say(guild);
		await fleet.handledAll();
		for (let workerId = 0; workerId < fleet.manager.workers.length; workerId++) await killWorker(fleet, workerId);
		await fleet.handledAll();
		expect(await guildsOf(fleet)).toEqual(world);

		const stopTalking = fleet.keepTalking(300);
		await fleet.manager.deploy({ observeMs: 0 });
		await fleet.manager.restartGateways();
		for (let kill = 0; kill < 3; kill++) {
			const [pid] = fleet.gatewayPids() as [number];
			const handledBefore = fleet.handled().length;
			process.kill(pid, 'SIGKILL');
			await waitFor('the next gateway process', () => fleet.gatewayPids()[0] !== pid);
			await waitFor('events to flow again', () => fleet.handled().length > handledBefore + 100);
		}
		stopTalking();
		const handled = await fleet.handledAll();
		expectExactlyOnceInOrder(repeats ? withoutRepeats(handled) : handled);
		expect(await guildsOf(fleet)).toEqual(world);
		expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0, overflowed: 0 });
		fleet.expectNoIdentifySinceStart();
		await fleet.stop();
	});
});
