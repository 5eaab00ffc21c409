// Faults of other shard managers, each reproduced there, and the behaviour required here instead.
// Those of a channel alone are in packages/rpc/test, those of a child process alone in packages/supervisor/test.
import { isAlive, waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { createShardManager } from '../src/index.js';
import { fixture, makeFleet, startFleet } from './fleet.js';

// Scripts are sent as text, so this declares the globals they find in a worker.
type Bot = { shardIds: number[]; counter: number };

describe('discord.js ShardingManager', () => {
	it('settles an eval at once when its shard dies, and restarts the shard, instead of leaving the eval pending', async () => {
		const { manager } = await startFleet('quick-bot.mjs');
		const pid = manager.workers[0]?.child.pid as number;
		const hanging = manager.broadcastEval('new Promise(() => {})', { shard: 0, timeoutMs: 50_000 });
		await manager.broadcastEval('0', { shard: 0 });
		process.kill(pid, 'SIGKILL');
		await expect(hanging).rejects.toMatchObject({
			code: 'CHANNEL_CLOSED',
			message: expect.stringContaining('worker 0 (shard 0) ended before it answered'),
		});
		await waitFor('its successor', () => manager.workers[0]?.child.state === 'ready');
		expect(await manager.broadcastEval('1')).toEqual([1, 1]);
	});

	it('runs each of several identical concurrent evals, from the manager and from a worker', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1 });
		const count = (client: Bot) => ++client.counter;
		expect(await Promise.all([1, 2, 3].map(() => manager.broadcastEval(count, { shard: 0 })))).toEqual([1, 2, 3]);
		const inWorker = 'Promise.all([1, 2].map(() => client.broadcastEval((c) => ++c.counter, { shard: 0 })))';
		expect(await manager.broadcastEval(inWorker, { shard: 0 })).toEqual([4, 5]);
	});

	it.each([
		['a BigInt', '10n', 10n],
		['a Map', 'new Map([[1, 2]])', new Map([[1, 2]])],
		['NaN', 'NaN', Number.NaN],
	])('returns %s as a result, instead of losing it or the child', async (_, script, value) => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1 });
		expect(await manager.broadcastEval(script, { shard: 0 })).toEqual(value);
	});

	it.each([
		['a circular object', 'const a = {}; a.a = a; a', 'NOT_SERIALIZABLE'],
		['a thrown null', 'throw null', 'REMOTE_ERROR'],
		['an error with a code', 'throw Object.assign(new Error("no"), { code: "E_NO" })', 'E_NO'],
	])('%s rejects the call with its code and the child lives', async (_, script, code) => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1 });
		const pid = manager.workers[0]?.child.pid;
		await expect(manager.broadcastEval(script, { shard: 0 })).rejects.toMatchObject({ code });
		expect(await manager.broadcastEval('process.pid', { shard: 0 })).toBe(pid);
	});

	it('returns the other results with settle, and on the error, when one shard of a broadcast is dead', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 3, respawn: false });
		await manager.call('exit', [1], { shard: 1, settle: true });
		const outcomes = [{ value: 0 }, { status: 'rejected', reason: { code: 'WORKER_UNAVAILABLE' } }, { value: 2 }];
		expect(await manager.broadcastEval('client.shardIds[0]', { settle: true })).toMatchObject(outcomes);
		await expect(manager.broadcastEval('client.shardIds[0]')).rejects.toMatchObject({ details: { outcomes } });
	});

	it('drops a response to a requester that has died, instead of ending the manager', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { respawn: false });
		const asks = `client.broadcastEval(() => new Promise((done) => setTimeout(done, 300, 'late')), { shard: 1 });
			setTimeout(() => process.exit(0), 50); 'asked'`;
		await manager.broadcastEval(asks, { shard: 0, settle: true });
		await waitFor('the requester to be gone', () => manager.workers[0]?.child.pid === null);
		expect(await manager.broadcastEval('new Promise((done) => setTimeout(done, 400, 1))', { shard: 1 })).toBe(1);
	});

	it('respawns a shard that has failed for good, also twice at once', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { respawn: false });
		await manager.call('exit', [1], { shard: 0, settle: true });
		await waitFor('the worker to be given up', () => manager.workers[0]?.child.state !== 'ready');
		expect(await Promise.all([manager.respawnShard(0), manager.respawnShard(0)])).toEqual([true, true]);
		expect(await manager.broadcastEval('client.shardIds[0]')).toEqual([0, 1]);
	});

	it('ignores messages of the old process about readiness', async () => {
		const { manager } = await startFleet('quick-bot.mjs');
		const old = manager.workers[0]?.child.pid as number;
		// The old process keeps sending while it is being ended.
		await manager.broadcastEval(`process.on('SIGTERM', () => setInterval(() => process.send({ _disconnect: true }), 5)); 0`, {
			shard: 0,
		});
		expect(await manager.respawnShard(0)).toBe(true);
		expect(isAlive(old)).toBe(false);
		expect((await manager.getShardStats()).map(({ status }) => status)).toEqual(['ready', 'ready']);
	});

	it("does not change the manager's environment, and passes no missing token as the text null", async () => {
		const before = { ...process.env };
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1 });
		expect(process.env).toEqual(before);
		expect(await manager.broadcastEval('process.env.DISCORD_TOKEN', { shard: 0 })).not.toBe('null');
		expect(() => createShardManager(fixture('quick-bot.mjs'), { control: false })).toThrow(
			expect.objectContaining({ code: 'TOKEN_MISSING' }),
		);
	});

	it('passes every child the number for "auto", instead of NaN', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 'auto', simulator: { shards: 3 } });
		expect(await manager.broadcastEval('process.env.SHARD_COUNT')).toEqual(['3', '3', '3']);
	});

	it('answers eight thousand evals on one child without more listeners', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1 });
		const listeners = await manager.broadcastEval('process.listenerCount("message")', { shard: 0 });
		const answers = await Promise.all(
			Array.from({ length: 8000 }, (_, context) => manager.broadcastEval((__: Bot, n: number) => n, { context, shard: 0 })),
		);
		expect(answers).toEqual(answers.map((_, index) => index));
		expect(await manager.broadcastEval('process.listenerCount("message")', { shard: 0 })).toBe(listeners);
	});

	it('asks Discord for the gateway once for all children, instead of once per login', async () => {
		const { simulator } = await startFleet('discord-bot.cjs', { totalShards: 4 });
		const asked = simulator.log.entries({ type: 'rest' }).filter(({ path }) => String(path).endsWith('/gateway/bot'));
		expect(asked).toHaveLength(1);
	});

	it('starts four shards in the time that max_concurrency demands, instead of 16.9 s', async () => {
		const { manager, simulator } = await makeFleet('discord-bot.cjs', { totalShards: 4, simulator: { maxConcurrency: 4 } });
		await manager.spawn();
		const times = simulator.log.entries({ type: 'identify' }).map(({ monotonicMs }) => monotonicMs);
		// Not even one of three waits of 5.5 s, with margin for a busy machine.
		expect(Math.max(...times) - Math.min(...times)).toBeLessThan(15_000);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
	});
});

describe('discord-hybrid-sharding', () => {
	it.each([999, -1, 1.5, '1', null])(
		'rejects an eval for shard %j, which it does not own, instead of running it on every cluster',
		async (shard) => {
			const { manager } = await startFleet('quick-bot.mjs');
			await expect(manager.broadcastEval((client: Bot) => ++client.counter, { shard: shard as number })).rejects.toMatchObject({
				code: 'SHARD_NOT_OWNED',
			});
			expect(await manager.fetchClientValues('counter')).toEqual([0, 0]);
		},
	);

	it('settles waiting calls when everything is respawned', async () => {
		const { manager } = await startFleet('quick-bot.mjs');
		const waiting = manager.call('slow', [], { settle: true, timeoutMs: 50_000 });
		await manager.broadcastEval('0');
		await manager.respawnAll({ rolling: false });
		expect(await waiting).toMatchObject([{ reason: { code: 'CHANNEL_CLOSED' } }, { reason: { code: 'CHANNEL_CLOSED' } }]);
		expect(await manager.broadcastEval('1')).toEqual([1, 1]);
	});

	it('only reads a path, instead of running code in it', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1 });
		expect(await manager.fetchClientValues('counter++' as string, { shard: 0 })).toBeUndefined();
		expect(await manager.fetchClientValues('counter', { shard: 0 })).toBe(0);
	});
});

describe('Kurasuta', () => {
	it('rejects for a thrown text, instead of never replying', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1 });
		await expect(manager.broadcastEval('throw "text"', { shard: 0 })).rejects.toMatchObject({ cause: 'text' });
	});

	it('sends a message to a worker, and reports ready after a respawn', async () => {
		const { manager } = await startFleet('quick-bot.mjs');
		expect(await manager.respawnShard(1)).toBe(true);
		const heard = new Promise((resolve) => manager.once('message', resolve));
		await manager.send(1, { echo: 'hello' });
		expect(await heard).toMatchObject({ workerId: 1, message: { echoed: 'hello' } });
		expect((await manager.getShardStats()).every(({ ready }) => ready)).toBe(true);
	});
});

describe('eris-fleet', () => {
	it('shows a hung worker as hung and keeps updating the figures of the others', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 3, heartbeatTimeoutMs: 1500, respawn: false });
		const pid = manager.workers[1]?.child.pid as number;
		process.kill(pid, 'SIGSTOP');
		await waitFor('the hang to be seen', async () => (await manager.getShardStats())[1]?.status !== 'ready');
		const [first, second, third] = await manager.getShardStats({ fresh: true });
		expect(second?.ready).toBe(false);
		expect([first?.ready, third?.ready]).toEqual([true, true]);
		const uptime = first?.uptimeMs as number;
		await waitFor('fresher figures', async () => ((await manager.getShardStats())[0]?.uptimeMs as number) > uptime);
	});

	it("returns a handler's error as that error, instead of {} or a timeout", async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1 });
		await expect(manager.broadcastEval('throw new RangeError("far")', { shard: 0 })).rejects.toMatchObject({
			name: 'RangeError',
			message: 'far',
		});
		await expect(manager.call('fails', [], { shard: 0 })).rejects.toMatchObject({ name: 'RangeError', code: 'E_RANGE' });
	});
});
