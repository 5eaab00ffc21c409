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

/** One message of each worker, to a channel of its own. */
const say = ({ manager }: SharedFleet) =>
	manager.broadcastEval('client.sayPlainly(client.channels.cache.find((channel) => channel.isTextBased()).id, 1)');
/** What Discord got of them, also what it has not answered. */
const messagesAt = ({ simulator }: SharedFleet) =>
	simulator.log.entries({ type: 'rest' }).filter(({ method, path }) => method === 'POST' && String(path).endsWith('/messages'));

it('sends nothing twice when the REST process is killed while Discord has requests', async () => {
	const fleet = await sharedFleet(bot);
	const hang = fleet.simulator.faults.restHang({ method: 'POST' });
	const said = say(fleet);
	await waitFor('the messages at Discord', () => messagesAt(fleet).length === 2);
	const { pid } = await rest(fleet);
	process.kill(pid as number, 'SIGKILL');
	// Their libraries see a connection that was closed, and know what may be sent again.
	expect(await said).toEqual([['fetch failed'], ['fetch failed']]);
	await waitFor('the next process', async () => (await rest(fleet)).status === 'ready');
	fleet.simulator.faults.end(hang);
	expect(await say(fleet)).toEqual([[200], [200]]);
	expect(messagesAt(fleet)).toHaveLength(4);
});

it('answers what Discord has before it is replaced', async () => {
	const fleet = await sharedFleet(bot);
	const late = fleet.simulator.faults.restLatency({ method: 'POST', ms: 1000 });
	const said = say(fleet);
	await waitFor('the messages at Discord', async () => {
		const { classes, queued } = await rest(fleet);
		return classes.messages === 2 && queued === 0;
	});
	await fleet.manager.restartRest();
	expect(await said).toEqual([[200], [200]]);
	fleet.simulator.faults.end(late);
	expect(messagesAt(fleet)).toHaveLength(2);
});

it('reports a REST process that does not answer as a risk, until it does', async () => {
	const fleet = await sharedFleet(bot);
	const isReported = async () => {
		const { causes } = (await fleet.manager.getStats()).health;
		return causes.some(({ kind, effect }) => kind === 'rest-process-down' && effect === 'risk');
	};
	const { pid } = await rest(fleet);
	process.kill(pid as number, 'SIGSTOP');
	try {
		await waitFor('the cause', isReported);
		expect((await fleet.manager.getStats()).health.served).toBe(2);
	} finally {
		process.kill(pid as number, 'SIGCONT');
	}
	await waitFor('its end', async () => !(await isReported()));
});

it('has no REST process to restart where each worker sends its own requests', async () => {
	const { manager } = await sharedFleet(bot, { rest: 'direct', totalShards: 1 });
	expect((await manager.getStats()).rest).toBeUndefined();
	await expect(manager.restartRest()).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
});
