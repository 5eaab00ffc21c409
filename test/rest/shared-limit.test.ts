// A fleet that wants more requests a second than Discord allows, while the REST process is there, is replaced, and is killed.
import { fileURLToPath } from 'node:url';
import type { ManagerStats } from '@shardctl/core';
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { type SharedFleet, sharedFleet } from './shared-fleet.js';

const bot = fileURLToPath(new URL('../bench/bots/rest-bot.cjs', import.meta.url));
const limit = 20;

const startFiring = async () => {
	const fleet = await sharedFleet(bot, { rest: { globalPerSecond: limit } }, { rest: { globalPerSecond: limit } });
	await fleet.manager.broadcastEval('client.fire(40)');
	return fleet;
};

/** Resolves when each worker has had this many answers more. */
async function moreAnswers({ manager }: SharedFleet, count: number): Promise<void> {
	const done = async () => (await manager.broadcastEval('client.done')) as number[];
	const before = await done();
	await waitFor(`${count} answers for each worker`, async () =>
		(await done()).every((now, worker) => now - (before[worker] ?? 0) >= count),
	);
}

async function rest({ manager }: SharedFleet): Promise<NonNullable<ManagerStats['rest']>> {
	const { rest: figures } = await manager.getStats();
	if (!figures) throw new Error('the fleet has no REST process');
	return figures;
}

it('is never refused for the global limit, and every worker has its turn', async () => {
	const fleet = await startFiring();
	await moreAnswers(fleet, 40);
	const refused = fleet.simulator.log.entries({ type: 'rest' }).filter(({ status }) => status === 429);
	expect(refused).toEqual([]);
	expect(await rest(fleet)).toMatchObject({ limited: 0, invalid: 0, globalPerSecond: limit });
});

it('loses no request when the REST process is replaced', async () => {
	const fleet = await startFiring();
	await moreAnswers(fleet, 5);
	const { pid } = await rest(fleet);
	const exits: string[] = [];
	fleet.manager.on('rest:exited', ({ message }) => exits.push(message));
	await fleet.manager.restartRest();
	const after = await rest(fleet);
	expect(after.status).toBe('ready');
	expect(after.pid).not.toBe(pid);
	expect(exits).toHaveLength(1);
	await moreAnswers(fleet, 5);
	expect(await fleet.manager.broadcastEval('client.failures')).toEqual([[], []]);
});

it('continues after the REST process was killed', async () => {
	const fleet = await startFiring();
	await moreAnswers(fleet, 5);
	const { pid } = await rest(fleet);
	process.kill(pid as number, 'SIGKILL');
	await waitFor('the next process', async () => {
		const now = await rest(fleet);
		return now.status === 'ready' && now.pid !== pid;
	});
	await moreAnswers(fleet, 5);
	expect((await rest(fleet)).restarts).toBe(1);
});

it('has no REST process to restart where each worker sends its own requests', async () => {
	const { manager } = await sharedFleet(bot, { rest: 'direct', totalShards: 1 });
	expect((await manager.getStats()).rest).toBeUndefined();
	await expect(manager.restartRest()).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
});
