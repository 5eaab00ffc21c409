// Workers, gateway processes and managers are killed at random while numbered messages flow: each group handles every one, in order of its
// guild, repeats only what a killed process may not have acknowledged, and no session is started again. Some kills here; with
// QUEUE_KILLS=1 50 workers, 20 gateway processes and 10 managers, at 2,000 messages a second. QUEUE_KILLS=0.2 is a fifth of those kills, and
// QUEUE_RATE another rate.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator, type Simulator } from '@shardctl/simulator';
import { type CliRun, type CliSandbox, cliSandbox, tempDir, waitFor } from '@shardctl/test-support';
import { type ControlClient, createControlClient } from 'shardctl';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithRedis, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { HandledFile } from './handled-file.js';
import { MessageLoad } from './message-load.js';

const workerFile = fileURLToPath(new URL('fixtures/appending-worker.mjs', import.meta.url));
const share = Number(process.env.QUEUE_KILLS ?? 0);
const whole = share > 0;
const perSecond = Number(process.env.QUEUE_RATE ?? 2000);
const size = whole
	? { shards: 8, guilds: 400, perSecond, workers: 50 * share, gateways: 20 * share, managers: 10 * share, deploys: 5 * share }
	: { shards: 2, guilds: 40, perSecond: 200, workers: 2, gateways: 1, managers: 1, deploys: 1 };
const groups = ['commands', 'levels'] as const;
type Group = (typeof groups)[number];

/** A manager that is started again after it was killed. */
class Manager {
	readonly #start: () => CliRun;
	readonly client: ControlClient;
	run: CliRun;

	constructor(name: string, start: () => CliRun) {
		this.#start = start;
		this.client = createControlClient(name);
		this.run = start();
	}

	ready(): Promise<unknown> {
		return this.run.message(/^fleet ready/);
	}

	async kill(): Promise<void> {
		this.run.process.kill('SIGKILL');
		await this.run.exit;
		this.run = this.#start();
		await this.ready();
	}
}

describeWithRedis('a queue whose processes are killed', () => {
	it('has every message handled in order by each group, and starts no session again', {
		timeout: whole ? 1_800_000 : 180_000,
	}, async () => {
		const server = await redisServer();
		onTestFinished(() => server.close());
		const { shards, guilds: guildCount } = size;
		const simulator: Simulator = await createSimulator({
			guilds: guildCount,
			shards,
			maxConcurrency: 16,
			identifyWindowMs: 100,
			replay: { maxEvents: 20_000, maxBytes: 2 ** 26 },
		});
		onTestFinished(() => simulator.stop());
		const cli: CliSandbox = cliSandbox();
		const before = process.env.SHARDCTL_STATE_DIR;
		process.env.SHARDCTL_STATE_DIR = cli.stateDir;
		onTestFinished(() => {
			if (before === undefined) delete process.env.SHARDCTL_STATE_DIR;
			else process.env.SHARDCTL_STATE_DIR = before;
		});
		const env = { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url, SHARDCTL_QUEUE: server.url };
		const folder = tempDir();
		// So many kills in minutes are no crash loop here.
		const config = join(folder, 'shardctl.config.json');
		const respawn = { initialDelayMs: 50, maxDelayMs: 200, maxRestarts: 10_000 };
		writeFileSync(config, JSON.stringify({ respawn }));
		const files = new Map(groups.map((group) => [group, new HandledFile(join(folder, group))]));
		const fileOf = (group: Group) => files.get(group) as HandledFile;
		const manager = (name: string, args: string[], more: Record<string, string> = {}) =>
			new Manager(name, () =>
				cli.run(['start', ...args, '--gateway', 'queue', '--config', config, '--name', name], { env: { ...env, ...more } }),
			);
		const readers = groups.map((group) =>
			manager(group, [workerFile, '--workers-only', '--workers', '2'], { GROUP: group, HANDLED: join(folder, group) }),
		);
		const sessions = manager('sessions', ['--shards', String(shards)]);
		await Promise.all([sessions, ...readers].map((each) => each.ready()));
		const saved = async () => {
			const { gateways = [], shards: all } = await sessions.client.stats();
			return (
				all.every(({ ready }) => ready) &&
				gateways.every((each) => each.shards.length > 0 && each.shards.every(({ snapshotBytes }) => snapshotBytes !== null))
			);
		};
		await waitFor('the sessions to be saved', saved);

		const load = new MessageLoad({ simulator, perSecond: size.perSecond });
		load.start();

		/** Processes that may have handled what they did not acknowledge. */
		const killed = new Set<number>();
		const kill = (pid: number) => {
			killed.add(pid);
			process.kill(pid, 'SIGKILL');
		};
		const isHandling = async (group: Group) => {
			const from = fileOf(group).distinct;
			await waitFor(`group ${group} to handle more`, () => fileOf(group).read() > from);
		};
		const killWorker = async (turn: number) => {
			const at = turn % readers.length;
			const reader = readers[at] as Manager;
			const { workers } = await reader.client.stats();
			const { id, pid } = workers[turn % workers.length] as (typeof workers)[number];
			if (pid !== null) kill(pid);
			await waitFor('another process', async () => {
				const now = (await reader.client.stats()).workers.find((each) => each.id === id);
				return now?.state === 'ready' && now.pid !== pid;
			});
			await isHandling(groups[at] as Group);
		};
		const killGateway = async () => {
			await waitFor('the sessions to be saved', saved);
			const [gateway] = (await sessions.client.stats()).gateways ?? [];
			kill(gateway?.pid as number);
			await waitFor('another gateway process', async () => (await sessions.client.stats()).gateways?.[0]?.pid !== gateway?.pid);
			await waitFor('the sessions to be back', saved);
		};
		const killManager = async (turn: number) => {
			const which = [sessions, ...readers][turn % 3] as Manager;
			if (which === sessions) await waitFor('the sessions to be saved', saved);
			// Its workers end with it, and may be killed by the next one.
			for (const { pid } of (await which.client.stats()).workers) if (pid !== null) killed.add(pid);
			await which.kill();
		};
		const deploy = (turn: number) => (readers[turn % readers.length] as Manager).client.deploy({ observeMs: 0 });
		const acts = [
			...Array.from({ length: size.workers }, (_, turn) => () => killWorker(turn)),
			...Array.from({ length: size.gateways }, () => killGateway),
			...Array.from({ length: size.managers }, (_, turn) => () => killManager(turn)),
			...Array.from({ length: size.deploys }, (_, turn) => () => deploy(turn)),
		];
		// In an order that is the same each time, and mixed.
		const order = acts
			.map((act, index) => ({ act, key: ((index * 7919) % 104_729) % acts.length }))
			.sort((a, b) => a.key - b.key);
		for (const { act } of order) await act();

		load.stop();
		const { total, rate } = load;
		for (const group of groups) {
			const file = fileOf(group);
			await waitFor(`group ${group} to handle ${total} messages`, () => file.read() === total);
			expect(file.gaps).toEqual([]);
			expect(file.repeatedOf.filter((pid) => !killed.has(pid))).toEqual([]);
			if (whole) process.stderr.write(`${group}: ${total} messages at ${rate}/s, ${file.repeatedOf.length} repeated\n`);
		}
		expect(simulator.log.entries({ type: 'identify' }).length).toBe(shards);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
		for (const each of [...readers, sessions]) each.run.process.kill('SIGTERM');
		expect(await Promise.all([...readers, sessions].map((each) => each.run.exit))).toEqual([0, 0, 0]);
		expect(cli.survivors()).toEqual([]);
	});
});
