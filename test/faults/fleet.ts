// A fleet for the fault tests: a real manager with real children on its own simulated Discord, all of whose processes can be
// found by a mark in their environment, also orphaned ones.
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator, type Simulator, type SimulatorOptions } from '@shardctl/simulator';
import { isAlive, leadsGroup, type Network, networkTo, processesWithEnv, tempDir, waitFor } from '@shardctl/test-support';
import { createShardManager, type ShardManager, type ShardManagerOptions } from 'shardctl';
import { onTestFinished } from 'vitest';

const mark = 'SHARDCTL_FAULT_FLEET';

export const tinyBot = fixture('tiny-bot.mjs');

export function fixture(name: string): string {
	return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
}

export interface Fleet {
	readonly manager: ShardManager;
	readonly simulator: Simulator;
	/** Between the fleet and Discord, if the setup requests one. */
	readonly network: Network | undefined;
	/** The log of the manager, newest last. */
	readonly story: string[];
	/** The next `times` starts of a worker exit at once. */
	dieAtStart(firstShard: number, times: number): void;
	/** The live process of a worker; throws when it has none. */
	pidOf(workerId: number): number;
	/** Every live process of the fleet, including descendants of the bots. */
	processes(): number[];
	/** The live processes of each worker by its id: more than one is a fault. */
	incarnations(): Map<number, number[]>;
	/** Resolves when every shard is ready. */
	allReady(timeoutMs?: number): Promise<void>;
	/** Stops it; rejects when a process is left. */
	stop(): Promise<void>;
}

export interface FleetSetup {
	file?: string;
	simulator?: SimulatorOptions;
	/** A network between the fleet and Discord that can be cut. */
	network?: boolean;
	manager?: ShardManagerOptions;
}

/** Both sides have the same short identify window, so that a fault does not take 5 s. */
const identifyWindowMs = 250;

/** Creates a fleet and leaves the start to the caller; everything is removed when the test finishes. */
export async function makeFleet({
	file = tinyBot,
	simulator: world = {},
	network: withNetwork = false,
	manager: options = {},
}: FleetSetup = {}): Promise<Fleet> {
	const id = randomUUID();
	const simulator = await createSimulator({ guilds: 4, shards: 2, maxConcurrency: 16, identifyWindowMs, ...world });
	const network = withNetwork ? await networkTo(simulator.port) : undefined;
	const deaths = tempDir('shardctl-deaths-');
	const story: string[] = [];
	// As with pino: fields first, if there are any.
	const say =
		(level: string) =>
		(...args: unknown[]) =>
			void story.push(`${level}: ${String(args.at(-1))}`);
	const logger = { info: say('info'), warn: say('warn'), error: say('error'), debug() {}, trace() {}, fatal: say('fatal') };
	const manager = createShardManager(file, {
		token: simulator.token,
		api: network ? `http://127.0.0.1:${network.port}/api` : simulator.url,
		control: false,
		identifyWindowMs,
		statsIntervalMs: 500,
		readyTimeoutMs: 30_000,
		shutdownGraceMs: 10_000,
		logger: logger as never,
		silent: true,
		...options,
		env: { [mark]: id, DEATHS: deaths, ...options.env },
	});
	tellStory(manager, story);
	const fleet: Fleet = {
		manager,
		simulator,
		network,
		story,
		dieAtStart: (firstShard, times) => writeFileSync(join(deaths, String(firstShard)), String(times)),
		pidOf(workerId) {
			const pid = manager.workers[workerId]?.child.pid;
			if (typeof pid !== 'number') throw new Error(`worker ${workerId} has no process`);
			return pid;
		},
		processes: () => processesWithEnv(mark, id),
		incarnations() {
			const found = new Map<number, number[]>();
			for (const pid of processesWithEnv(mark, id)) {
				const workerId = workerIdOf(pid);
				if (workerId !== undefined) found.set(workerId, [...(found.get(workerId) ?? []), pid]);
			}
			return found;
		},
		allReady: async (timeoutMs = 60_000) => {
			const ready = () => manager.workers.length > 0 && manager.workers.every((worker) => isWhole(worker));
			await waitFor('every shard to be ready', ready, { timeoutMs }).catch((error: unknown) => {
				const states = manager.workers.map(
					(worker) => `${worker.label}: ${worker.child.state} ${worker.shardIds.map((shard) => worker.status(shard)).join(',')}`,
				);
				throw new Error(`the fleet did not become whole:\n${states.join('\n')}\n${story.slice(-60).join('\n')}`, {
					cause: error,
				});
			});
		},
		async stop() {
			await manager.stop();
			const left = fleet.processes();
			await network?.close();
			await simulator.stop();
			if (left.length > 0) throw new Error(`processes are left: ${left.join(', ')}\n${story.slice(-60).join('\n')}`);
		},
	};
	onTestFinished(async () => {
		await manager.stop({ graceMs: 0 });
		for (const pid of fleet.processes()) process.kill(pid, 'SIGKILL');
		await network?.close();
		await simulator.stop();
	});
	return fleet;
}

/** Creates a fleet and waits until it is ready. */
export async function startFleet(setup?: FleetSetup): Promise<Fleet> {
	const fleet = await makeFleet(setup);
	// Not the promise alone: the error of a fleet that never gets ready must include its log.
	await Promise.all([fleet.manager.spawn(), fleet.allReady(50_000)]);
	return fleet;
}

export function isWhole(worker: ShardManager['workers'][number]): boolean {
	return worker.child.state === 'ready' && worker.shardIds.every((shard) => worker.status(shard) === 'ready');
}

/**
 * The worker whose bot a process is; undefined for descendants of bots, which inherit the mark and not the config. A process
 * that a bot is starting has a copy of the bot's environment until its exec; it is recognised by not leading a process group.
 */
export function workerIdOf(pid: number): number | undefined {
	try {
		const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
		const config = variables.find((variable) => variable.startsWith('SHARDCTL_WORKER='));
		if (config === undefined || !isAlive(pid) || !leadsGroup(pid)) return undefined;
		return (JSON.parse(config.slice(config.indexOf('=') + 1)) as { workerId: number }).workerId;
	} catch {
		return undefined;
	}
}

function tellStory(manager: ShardManager, story: string[]): void {
	const since = performance.now();
	const say = (line: string) => story.push(`${((performance.now() - since) / 1000).toFixed(2)} ${line}`);
	manager.on('worker:state', ({ workerId, from, to }) => say(`worker ${workerId}: ${from} → ${to}`));
	manager.on('worker:spawned', ({ workerId, pid, epoch }) => say(`worker ${workerId}: process ${pid}, epoch ${epoch}`));
	manager.on('worker:exited', ({ workerId, report }) => say(`worker ${workerId}: ${report.reason}: ${report.message}`));
	manager.on('worker:failed', ({ workerId, reason }) => say(`worker ${workerId} failed: ${reason}`));
	manager.on('worker:memory', ({ workerId, rssBytes, over }) =>
		say(`worker ${workerId} uses ${rssBytes} ${over ? 'over' : 'near'}`),
	);
	manager.on('shard:ready', ({ shardId }) => say(`shard ${shardId} ready`));
	manager.on('shard:resumed', ({ shardId }) => say(`shard ${shardId} resumed`));
	manager.on('shard:reconnecting', ({ shardId }) => say(`shard ${shardId} reconnecting`));
	manager.on('shard:disconnected', ({ shardId, closeCode }) => say(`shard ${shardId} disconnected ${closeCode}`));
	manager.on('identify:deferred', ({ workerId, remaining }) => say(`worker ${workerId} deferred, ${remaining} left`));
	manager.on('worker:log', ({ workerId, stream, line }) => say(`worker ${workerId} ${stream}: ${line}`));
}
