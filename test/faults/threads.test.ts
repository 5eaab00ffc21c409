// Workers that are threads of one process: one that crashes or hangs is replaced alone, and the end of the process replaces them all.
import { once } from 'node:events';
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { type Fleet, startFleet } from '../compat/bot-fleet.js';
import { expectExactlyOnceInOrder, startResidentFleet } from './resident-fleet.js';

const bot = `
	const { Client, GatewayIntentBits } = require('discord.js');
	const client = new Client({ intents: [GatewayIntentBits.Guilds] });
	client.login();
`;

async function setup(): Promise<Fleet & { exits: { workerId: number; reason: string; message: string }[] }> {
	const fleet = await startFleet(
		{ 'bot.js': bot },
		{ workerMode: 'thread', totalShards: 3, heartbeatTimeoutMs: 3000, respawn: { initialDelayMs: 10 } },
		'silent',
	);
	const exits: { workerId: number; reason: string; message: string }[] = [];
	fleet.manager.on('worker:exited', ({ workerId, report: { reason, message } }) => exits.push({ workerId, reason, message }));
	return { ...fleet, exits };
}

const threadIds = async ({ manager }: Fleet) =>
	(await manager.broadcastEval('[process.pid, require("node:worker_threads").threadId].join()')) as string[];
const isReady = ({ manager }: Fleet) => manager.workers.every(({ child }) => child.state === 'ready');
const later = (script: string) => `setTimeout(() => { ${script} }, 10), 1`;

it('replaces one that crashes, and leaves the others as they are', async () => {
	const fleet = await setup();
	const [before, ready] = [await threadIds(fleet), once(fleet.manager, 'worker:ready')];
	await fleet.manager.broadcastEval(later('throw new TypeError("boom")'), { shard: 1 });
	await ready;
	expect(fleet.exits).toEqual([
		{ workerId: 1, reason: 'uncaught-exception', message: expect.stringContaining('a thread of process') },
	]);
	expect(fleet.exits[0]?.message).toContain('TypeError: boom');
	const after = await threadIds(fleet);
	expect([after[0], after[2]]).toEqual([before[0], before[2]]);
	expect(after[1]).not.toBe(before[1]);
	expect(after[1]?.split(',')[0]).toBe(before[1]?.split(',')[0]);
	expect(fleet.simulator.log.entries({ type: 'identify' })).toHaveLength(4);
});

it('takes process.exit() for the end of one thread alone', async () => {
	const fleet = await setup();
	const [before, ready] = [await threadIds(fleet), once(fleet.manager, 'worker:ready')];
	await fleet.manager.broadcastEval(later('process.exit(7)'), { shard: 0 });
	await ready;
	expect(fleet.exits).toMatchObject([{ workerId: 0 }]);
	expect(fleet.exits[0]?.message).toContain('exit code 7');
	expect((await threadIds(fleet)).slice(1)).toEqual(before.slice(1));
});

it('replaces one that hangs, with the place where it was, while the others answer', async () => {
	const fleet = await setup();
	const before = await threadIds(fleet);
	const ready = once(fleet.manager, 'worker:ready');
	await fleet.manager.broadcastEval(later('(function spin() { for (;;); })()'), { shard: 2 });
	await waitFor('the silence to be noticed', () => fleet.manager.workers[2]?.child.state !== 'ready');
	expect(await fleet.manager.broadcastEval('1 + 1', { shard: 0 })).toBe(2);
	await ready;
	expect(fleet.exits).toMatchObject([{ workerId: 2, reason: 'hung' }]);
	expect(fleet.exits[0]?.message).toContain('spin');
	expect((await threadIds(fleet)).slice(0, 2)).toEqual(before.slice(0, 2));
});

it('restarts all of them when their process is killed, in one process again', async () => {
	const fleet = await setup();
	const pid = fleet.manager.workers[0]?.child.pid as number;
	process.kill(pid, 'SIGKILL');
	await waitFor('three exits', () => fleet.exits.length === 3);
	await waitFor('all to be ready', () => isReady(fleet));
	expect(fleet.exits.map(({ reason }) => reason)).toEqual(['signal', 'signal', 'signal']);
	expect(fleet.exits.every(({ message }) => message.startsWith(`process ${pid} was killed by SIGKILL`))).toBe(true);
	const pids = new Set(fleet.manager.workers.map(({ child }) => child.pid));
	expect(pids.size).toBe(1);
	expect(pids).not.toContain(pid);
	expect(fleet.simulator.violations({ hardOnly: true })).toEqual([]);
});

it('deploys to threads of new processes, rolls a bad version back, and delivers every event once, in order', async () => {
	const fleet = await startResidentFleet({
		shards: 4,
		guilds: 40,
		manager: { workerMode: 'thread', threadsPerProcess: 2, respawn: { initialDelayMs: 10 } },
	});
	const pids = () => new Set(fleet.manager.workers.map(({ child }) => child.pid as number));
	const before = pids();
	expect(before.size).toBe(2);
	const stopTalking = fleet.keepTalking(100);
	await fleet.manager.deploy({ observeMs: 0 });
	const after = pids();
	expect(after.size).toBe(2);
	expect([...after].filter((pid) => before.has(pid))).toEqual([]);
	fleet.version('crash-at-boot');
	await expect(fleet.manager.deploy({ observeMs: 0 })).rejects.toMatchObject({ code: 'WORKER_NOT_READY' });
	fleet.version('');
	expect(pids()).toEqual(after);
	await fleet.manager.respawnAll();
	stopTalking();
	expectExactlyOnceInOrder(await fleet.handledAll());
	fleet.expectNoIdentifySinceStart();
	for (const pid of before) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
	await fleet.stop();
});

it('logs out and leaves no process behind when the fleet stops', async () => {
	const fleet = await setup();
	const pid = fleet.manager.workers[0]?.child.pid as number;
	await fleet.manager.stop();
	expect(() => process.kill(pid, 0)).toThrow('ESRCH');
	await waitFor('the end of the sessions', () => fleet.simulator.state().connections === 0);
});
