// A fleet of several nodes: real managers through the command line, each with a state folder of its own as on machines of their own, one
// real Redis, and one strict simulator that judges what they do.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSimulator, type Simulator, type SimulatorOptions } from '@shardctl/simulator';
import { type CliRun, type CliSandbox, cliSandbox, isAlive, tempDir, waitFor } from '@shardctl/test-support';
import { expect, onTestFinished } from 'vitest';
import { type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { tinyBot } from '../faults/fleet.js';

export interface Handled {
	guildId: string;
	number: number;
	pid: number;
	/** Epoch ms. */
	at: number;
}

export interface ClusterNodeRun {
	readonly name: string;
	readonly sandbox: CliSandbox;
	readonly run: CliRun;
	/** Every process of the node. */
	processes(): number[];
	/** Runs a command against this node; resolves with what it printed. */
	json<T>(...args: string[]): Promise<T>;
	/** Ends the manager alone, or everything, without notice. */
	kill(what: 'manager' | 'everything'): void;
}

export interface ClusterFleet {
	readonly simulator: Simulator;
	readonly redis: RedisServer;
	/** Starts a node; resolves when it is ready. */
	start(name: string, args?: readonly string[]): Promise<ClusterNodeRun>;
	/** Starts a node, and does not wait. */
	launch(name: string, args?: readonly string[]): ClusterNodeRun;
	/** Sends numbered messages around all guilds until the function returned is called. */
	talk(perSecond: number): () => void;
	/** Resolves when every message was handled at least once. */
	handledAll(): Promise<Handled[]>;
	handled(): Handled[];
	/** Session → number of connections at Discord. */
	connections(): Map<number, number>;
	/** Resolves when this node has every session, and its workers handle what is said in each guild. */
	servedBy(node: ClusterNodeRun): Promise<void>;
	/** Resolves when each session has one connection at Discord. */
	whole(): Promise<void>;
	/** Fails unless Discord has seen exactly this many identifies, and no rule was broken. */
	expectIdentifies(count: number): void;
}

export interface ClusterSetup {
	shards: number;
	sessions?: number;
	guilds?: number;
	simulator?: SimulatorOptions;
	persist?: boolean;
	/** Arguments of every node. */
	args?: readonly string[];
	lease?: string;
}

const identifyWindowMs = 250;

export async function clusterFleet({
	shards,
	sessions = shards,
	guilds = 2 * shards,
	simulator: world,
	persist = false,
	args: common = [],
	lease = '1500ms',
}: ClusterSetup): Promise<ClusterFleet> {
	const redis = await redisServer({ persist });
	onTestFinished(() => redis.close());
	const simulator = await createSimulator({
		guilds,
		shards: sessions,
		maxConcurrency: 16,
		identifyWindowMs,
		guildSizes: { min: 2, max: 5 },
		...world,
	});
	onTestFinished(() => simulator.stop());
	const folder = tempDir('shardctl-cluster-');
	const file = join(folder, 'handled');
	writeFileSync(file, '');
	// Both sides have the same short window, so that a test costs no 5 s for each session.
	writeFileSync(join(folder, 'shardctl.config.json'), JSON.stringify({ identifyWindowMs }));
	const guildIds = [...simulator.world.guilds.ids({ id: 0, count: 1 })];
	const counts = guildIds.map(() => 0);
	let sent = 0;

	function launch(name: string, args: readonly string[] = []): ClusterNodeRun {
		const sandbox = cliSandbox();
		const run = sandbox.run(
			`start ${tinyBot} --name fleet --gateway resident --gateway-sessions ${sessions} --shards ${shards} --api ${simulator.url}
			--cluster ${redis.url} --node ${name} --lease ${lease} --grace 5s --log-format json --stats-interval 500ms`
				.split(/\s+/)
				.concat(common, args),
			{ cwd: folder, env: { DISCORD_TOKEN: simulator.token, HANDLED: file, INTENTS: '33281' } },
		);
		return {
			name,
			sandbox,
			run,
			processes: () => sandbox.survivors(),
			async json<T>(...command: string[]) {
				const { code, stdout, stderr } = await sandbox.output([...command, '--json', '--name', 'fleet']);
				if (code !== 0) throw new Error(`shardctl ${command.join(' ')} ended with ${code}: ${stderr}`);
				return JSON.parse(stdout) as T;
			},
			kill(what) {
				const pids = what === 'manager' ? [run.pid] : sandbox.survivors();
				for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
			},
		};
	}

	const fleet: ClusterFleet = {
		simulator,
		redis,
		launch,
		async start(name, args) {
			const node = launch(name, args);
			await node.run.message(/^fleet ready/);
			return node;
		},
		talk(perSecond) {
			const startedAt = performance.now();
			const before = sent;
			const timer = setInterval(() => {
				const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond);
				while (sent - before < due) {
					const index = sent++ % guildIds.length;
					counts[index] = (counts[index] as number) + 1;
					simulator.emit('MESSAGE_CREATE', { content: String(counts[index]) }, { guildId: guildIds[index] as string });
				}
			}, 5);
			const stop = () => clearInterval(timer);
			onTestFinished(stop);
			return stop;
		},
		handled: () =>
			readFileSync(file, 'utf8')
				.split('\n')
				.filter(Boolean)
				.map((line) => {
					const [guildId, number, pid, at] = line.split(' ') as [string, string, string, string];
					return { guildId, number: Number(number), pid: Number(pid), at: Number(at) };
				}),
		async handledAll() {
			const all = () => new Set(fleet.handled().map(({ guildId, number }) => `${guildId} ${number}`)).size >= sent;
			await waitFor(`all ${sent} messages to be handled`, all);
			return fleet.handled();
		},
		async servedBy(node) {
			const since = new Map<string, number>();
			const now = Date.now();
			await waitFor(`node ${node.name} to serve every guild`, () => {
				const pids = new Set(node.processes());
				for (const { guildId, pid, at } of fleet.handled()) if (at >= now && pids.has(pid)) since.set(guildId, at);
				return since.size === guildIds.length;
			});
		},
		connections() {
			const found = new Map<number, number>();
			for (const { shard, connected } of simulator.state().sessions) {
				if (connected && shard) found.set(shard[0], (found.get(shard[0]) ?? 0) + 1);
			}
			return found;
		},
		async whole() {
			await waitFor('each session to have one connection', () =>
				Array.from({ length: sessions }, (_, id) => fleet.connections().get(id) ?? 0).every((count) => count === 1),
			);
		},
		expectIdentifies(count) {
			expect(simulator.log.entries({ type: 'identify' })).toHaveLength(count);
			expect(simulator.violations({ hardOnly: true })).toEqual([]);
		},
	};
	return fleet;
}

/** How often a message was handled again. */
export function repeats(handled: readonly Handled[]): number {
	return handled.length - new Set(handled.map(({ guildId, number }) => `${guildId} ${number}`)).size;
}
