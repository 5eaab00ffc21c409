// A group is scaled from one worker to six, and to two, while messages flow: how long a guild waits, and how evenly the partitions are divided.
// Only with QUEUE_SCALE=1, on a machine that does nothing else: it measures time. That nothing is lost or repeated is tested in
// supervised-workers.test.ts.
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator } from '@shardctl/simulator';
import { tempDir, waitFor } from '@shardctl/test-support';
import { createShardManager } from 'shardctl';
import { expect, it, onTestFinished } from 'vitest';
import { redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { MessageLoad } from './message-load.js';
import { orderProblems } from './queue-support.js';

const workerFile = fileURLToPath(new URL('fixtures/appending-worker.mjs', import.meta.url));
const size = { shards: 2, guilds: 200, perSecond: 1000 };

it.runIf(process.env.QUEUE_SCALE)(
	'scales from 1 to 6 to 2 workers with a pause of half a second at most',
	{ timeout: 300_000 },
	async () => {
		const server = await redisServer();
		onTestFinished(() => server.close());
		const simulator = await createSimulator({
			guilds: size.guilds,
			shards: size.shards,
			maxConcurrency: 16,
			identifyWindowMs: 100,
		});
		onTestFinished(() => simulator.stop());
		const path = join(tempDir(), 'handled');
		closeSync(openSync(path, 'a'));
		const manager = createShardManager(workerFile, {
			token: simulator.token,
			api: simulator.url,
			gateway: 'queue',
			queue: server.url,
			totalShards: size.shards,
			control: false,
			identifyWindowMs: 100,
			statsIntervalMs: 300,
			silent: true,
			env: { GROUP: 'g', HANDLED: path },
		});
		onTestFinished(() => manager.stop({ graceMs: 0 }));
		await manager.spawn();
		const partitions = async () =>
			(await manager.getStats({ fresh: true })).workers.map(({ queue }) => queue?.partitions ?? 0).sort((a, b) => a - b);
		await expect.poll(partitions, { timeout: 20_000 }).toEqual([32]);

		const said = new Map<string, bigint>();
		const onSaid = (content: string) => said.set(content, process.hrtime.bigint());
		const load = new MessageLoad({ simulator, perSecond: size.perSecond, onSaid });
		load.start();
		const flowing = async () => {
			const from = said.size;
			await waitFor('more messages', () => said.size > from + size.perSecond);
		};
		await flowing();
		await manager.scale(6);
		await expect.poll(partitions, { timeout: 20_000 }).toEqual([5, 5, 5, 5, 6, 6]);
		await flowing();
		await manager.scale(2);
		await expect.poll(partitions, { timeout: 20_000 }).toEqual([16, 16]);
		await flowing();
		load.stop();
		const lines = () => readFileSync(path, 'latin1').trim().split('\n');
		await waitFor('every message to be handled', () => lines().length >= said.size, { everyMs: 200 });
		const handled = lines()
			.map((line) => line.split(' ') as [content: string, pid: string, at: string])
			.sort((a, b) => (BigInt(a[2]) < BigInt(b[2]) ? -1 : 1));
		expect(
			orderProblems(
				handled.map(([content]) => content),
				load.counts,
			),
		).toEqual([]);
		expect(handled.length).toBe(said.size);
		const delays = handled
			.map(([content, , at]) => Number(BigInt(at) - (said.get(content) as bigint)) / 1e6)
			.sort((a, b) => a - b);
		const of = (share: number) => Math.round(delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] as number);
		process.stderr.write(
			`${handled.length} messages at ${load.rate}/s; delay p50 ${of(0.5)} ms, p99 ${of(0.99)} ms, longest ${of(1)} ms\n`,
		);
		expect(of(1)).toBeLessThanOrEqual(500);
	},
);
