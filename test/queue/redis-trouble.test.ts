// A whole fleet under load whose Redis is away, is full, and comes back without its data: nothing is lost but what only Redis had, that is
// counted, and what is wrong is reported while it is. For a moment here; with QUEUE_OUTAGE=1 for 20 s, at 2,000 messages a second.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator } from '@shardctl/simulator';
import { tempDir, waitFor } from '@shardctl/test-support';
import { createShardManager, type ShardManagerOptions } from 'shardctl';
import { expect, it, onTestFinished } from 'vitest';
import { connectTo, describeWithRedis, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { HandledFile } from './handled-file.js';
import { MessageLoad } from './message-load.js';

const workerFile = fileURLToPath(new URL('fixtures/appending-worker.mjs', import.meta.url));
const whole = Boolean(process.env.QUEUE_OUTAGE);
const size = whole
	? { shards: 8, guilds: 400, perSecond: 2000, awaySeconds: 20 }
	: { shards: 2, guilds: 40, perSecond: 200, awaySeconds: 1 };
const groups = ['commands', 'levels'] as const;
/** More than a worker has in hand. */
const inHandAtMost = 1024;

describeWithRedis('a fleet with a queue whose Redis is in trouble', () => {
	it('loses only what Redis loses, counts it, and reports what is wrong', { timeout: whole ? 600_000 : 120_000 }, async () => {
		const server = await redisServer({ persist: true });
		onTestFinished(() => server.close());
		const simulator = await createSimulator({
			guilds: size.guilds,
			shards: size.shards,
			maxConcurrency: 16,
			identifyWindowMs: 100,
		});
		onTestFinished(() => simulator.stop());
		const folder = tempDir();
		const files = new Map(groups.map((group) => [group, new HandledFile(join(folder, group))]));
		const start = async (group: string, options: ShardManagerOptions) => {
			const manager = createShardManager(workerFile, {
				token: simulator.token,
				api: simulator.url,
				gateway: 'queue',
				totalShards: size.shards,
				workers: 2,
				name: group,
				control: false,
				identifyWindowMs: 100,
				statsIntervalMs: 300,
				silent: true,
				env: { GROUP: group, HANDLED: join(folder, group) },
				...options,
			});
			onTestFinished(() => manager.stop({ graceMs: 0 }));
			await manager.spawn();
			return manager;
		};
		const fleet = await start('commands', { queue: server.url });
		const other = await start('levels', { queue: { url: server.url, workersOnly: true } });
		const processes = async () => {
			const [{ workers, gateways = [] }, more] = [await fleet.getStats(), await other.getStats()];
			return [...workers, ...gateways, ...more.workers].map(({ pid }) => pid);
		};
		const before = await processes();
		const causes = async () => (await fleet.getStats()).health.causes.map(({ kind }) => kind);
		const queue = async () => (await fleet.getStats()).queue;

		const load = new MessageLoad({ simulator, perSecond: size.perSecond });
		const timeoutMs = whole ? 300_000 : 60_000;
		const more = async (seconds: number) => {
			const from = load.total;
			await waitFor('more messages', () => load.total >= from + seconds * size.perSecond, { timeoutMs });
		};
		const fileOf = (group: (typeof groups)[number]) => files.get(group) as HandledFile;
		const handled = (group: (typeof groups)[number]) => fileOf(group).read();
		/** Ends the load. Resolves when each group has handled every message but so many. */
		const settle = async (lost: Partial<Record<string, number>> = {}) => {
			load.stop();
			const begunAt = performance.now();
			for (const group of groups)
				await waitFor(`${group} to handle all`, () => handled(group) === load.total - (lost[group] ?? 0), { timeoutMs });
			return ((performance.now() - begunAt) / 1000).toFixed(1);
		};
		const repeats = () => groups.map((group) => fileOf(group).repeatedOf.length);
		const say = (text: string) => void (whole && process.stderr.write(`${text}\n`));
		const expectOrder = () => expect(groups.map((group) => fileOf(group).gaps)).toEqual([[], []]);

		load.start();
		await more(1);
		server.kill('SIGKILL');
		await more(size.awaySeconds);
		await waitFor('the cause', async () => (await causes()).includes('queue-unreachable'));
		expect(await queue()).toMatchObject({ connected: false });
		await server.restart();
		await more(1);
		say(
			`away: ${load.total} messages at ${load.rate}/s, all handled ${await settle()} s after the last, ${repeats().join(' and ')} repeated`,
		);
		expectOrder();
		for (const count of repeats()) expect(count).toBeLessThanOrEqual(2 * inHandAtMost);
		await waitFor('the cause to be over', async () => !(await causes()).includes('queue-unreachable'));
		expect((await queue())?.groups.map(({ missed, dead }) => [missed, dead])).toEqual([
			[0, 0],
			[0, 0],
		]);

		const redis = await connectTo(server);
		load.start();
		await redis.batch([['CONFIG', 'SET', 'maxmemory', '1mb']]);
		await waitFor('the cause', async () => (await causes()).includes('queue-unwritten'));
		await more(size.awaySeconds);
		const cause = (await fleet.getStats()).health.causes.find(({ kind }) => kind === 'queue-unwritten');
		expect([cause?.kind, cause?.message, cause?.remedy]).toEqual([
			'queue-unwritten',
			expect.stringContaining('OOM'),
			expect.stringContaining('maxmemory'),
		]);
		// Workers do what is left, and stay members.
		const isIdle = async () => (await queue())?.groups.every(({ lag, members }) => lag === 0 && members === 2);
		await waitFor('nothing to be left', isIdle);
		await redis.batch([['CONFIG', 'SET', 'maxmemory', '0']]);
		await redis.close();
		await more(1);
		say(`full: ${load.total} messages at ${load.rate}/s, all handled ${await settle()} s after the last`);
		expectOrder();

		// What no worker has read is lost with Redis. The figures may be half a second old.
		await waitFor('nothing to be left', isIdle);
		const stopped = [...fleet.workers, ...other.workers].map(({ child }) => child.pid as number);
		for (const pid of stopped) process.kill(pid, 'SIGSTOP');
		load.start();
		await waitFor('something to be unread', async () =>
			(await queue())?.groups.every(({ lag, pending }) => lag - pending >= size.perSecond / 2),
		);
		server.kill('SIGKILL');
		for (const pid of stopped) process.kill(pid, 'SIGCONT');
		await more(size.awaySeconds);
		await server.restart({ empty: true });
		await more(1);
		load.stop();
		const missed = async () => {
			const found = (await queue())?.groups ?? [];
			return Object.fromEntries(found.map((each) => [each.group, each.missed]));
		};
		const lost = await waitFor('what was lost to be counted', async () => {
			const counted = await missed();
			return groups.every((group) => handled(group) + (counted[group] ?? 0) === load.total) ? counted : undefined;
		});
		say(`empty: ${load.total} messages at ${load.rate}/s, lost and counted as missed: ${JSON.stringify(lost)}`);
		for (const group of groups) expect(lost[group]).toBeGreaterThan(0);
		await settle(lost);
		for (const group of groups) {
			// The last of each guild were said after the loss.
			expect([...load.counts].filter(([guild, n]) => fileOf(group).newestOf(guild) !== n)).toEqual([]);
		}
		expect(await processes()).toEqual(before);
		expect(simulator.log.entries({ type: 'identify' }).length).toBe(size.shards);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
	});
});
