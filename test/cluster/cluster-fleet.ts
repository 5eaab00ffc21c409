// A fleet of several nodes: real managers through the command line, each with a state folder of its own as on machines of their own, one
// real Redis, and one strict simulator that judges what they do.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { botKey } from '@shardctl/core';
import { createSimulator, type Simulator, type SimulatorOptions } from '@shardctl/simulator';
import { type CliRun, type CliSandbox, cliSandbox, isAlive, tempDir, waitFor } from '@shardctl/test-support';
import { expect, onTestFinished } from 'vitest';
import { clusterKeys } from '../../packages/cluster/src/redis/keys.js';
import type { RedisPort } from '../../packages/cluster/src/redis/redis-port.js';
import { ownershipScripts } from '../../packages/cluster/src/scripts/ownership-scripts.js';
import { type ClusterView, clusterView } from '../../packages/cluster/src/table/cluster-view.js';
import {
	connectTo,
	type RedisServer,
	type RedisServerOptions,
	redisServer,
} from '../../packages/cluster/test/support/redis-server.js';
import { type TcpProxy, tcpProxy } from '../../packages/cluster/test/support/tcp-proxy.js';
import { tinyBot } from '../faults/fleet.js';
import { type Handled, HandledFile, judge, type Verdict } from './witness.js';

export interface ClusterNodeRun {
	readonly name: string;
	readonly sandbox: CliSandbox;
	readonly run: CliRun;
	/** Between the node and Redis. */
	readonly toRedis: TcpProxy;
	/** Between the node and Discord. */
	readonly toDiscord: TcpProxy;
	/** Every process of the node. */
	processes(): number[];
	/** The processes that hold its sessions with Discord, and not those that wait for some. */
	gateways(): Promise<number[]>;
	/** Those, and those that wait. */
	gatewayProcesses(): number[];
	/** Runs a command against this node; resolves with what it printed. */
	json<T>(...args: string[]): Promise<T>;
	/** Runs a command against this node; resolves with how it ended. */
	cli(...args: string[]): Promise<{ code: number | NodeJS.Signals; stdout: string; stderr: string }>;
	/** Sends a signal (default SIGKILL) to the manager alone, or to everything. */
	kill(what: 'manager' | 'everything', signal?: NodeJS.Signals): void;
	/** How often the log has such a message. */
	times(pattern: RegExp): number;
}

/** What a fleet has to show at the end of a test. */
export interface Expected {
	identifies: number;
	/** Events that may be handled again at most (default: none). */
	repeats?: number;
	/** See {@link judge}. */
	replays?: boolean;
}

export interface ClusterFleet {
	readonly simulator: Simulator;
	readonly redis: RedisServer;
	readonly guildIds: readonly string[];
	/** A file of the test's own. */
	folder(name: string): string;
	/** Starts a node; resolves when it is ready. */
	start(name: string, args?: readonly string[]): Promise<ClusterNodeRun>;
	/** Starts a node, and does not wait. `command`: another program than the command line of this checkout. */
	launch(
		name: string,
		args?: readonly string[],
		options?: { env?: Record<string, string>; command?: readonly string[] },
	): Promise<ClusterNodeRun>;
	/** Starts nodes that wait for each other; resolves when all are ready. */
	startAll<const Names extends readonly string[]>(
		names: Names,
		args?: readonly string[],
	): Promise<{ [Name in Names[number]]: ClusterNodeRun }>;
	/** Sends numbered messages around all guilds until the function returned is called. */
	talk(perSecond: number): () => void;
	/** Resolves when every message was handled at least once. */
	handledAll(): Promise<readonly Handled[]>;
	handled(): readonly Handled[];
	/** Resolves when everything that was sent was handled; fails where an invariant does not hold (see witness.ts). */
	verdict(expected: Expected): Promise<Verdict>;
	/** Resolves when each guild has handled what is said to it from now on. */
	served(): Promise<void>;
	/** The table of the cluster, read from Redis without a process in between. */
	table(): Promise<ClusterView>;
	/** The sessions that the node owns. */
	sessionsOf(node: ClusterNodeRun): Promise<number[]>;
	/** How many of the node's gateway processes wait for a session, while none moves. */
	spares(node: ClusterNodeRun): Promise<number>;
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
	redis?: RedisServerOptions;
	/** The ACL rights of the user that the nodes connect as, where `APPLICATION` is that of the bot (default: all). */
	rights?: string;
	/** The bot file (default: the tiny bot). */
	bot?: string;
	/** Direct mode instead of resident mode. */
	direct?: boolean;
	/** Queue mode instead of resident mode; the bot is a worker of the queue. What is handled is noted in another way then. */
	queue?: boolean;
	/** Environment of every node. */
	env?: Record<string, string>;
	/** Arguments of every node. */
	args?: readonly string[];
	lease?: string;
	/** Each node reaches Redis and Discord through a network of its own, in this process (default); else nothing can be cut off, and nothing waits for it. */
	ownNetworks?: boolean;
}

const identifyWindowMs = 250;
const ownNetwork = fileURLToPath(new URL('own-network.mjs', import.meta.url));

export async function clusterFleet({
	shards,
	sessions = shards,
	guilds = 2 * shards,
	simulator: world,
	persist = false,
	redis: redisOptions = {},
	bot = tinyBot,
	rights,
	args: common = [],
	direct = false,
	queue = false,
	env: commonEnv = {},
	lease = '1500ms',
	ownNetworks = true,
}: ClusterSetup): Promise<ClusterFleet> {
	const redis = await redisServer({ persist, ...redisOptions });
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
	const admin = await connectTo(redis);
	onTestFinished(() => admin.close());
	const keys = clusterKeys(botKey(simulator.token));
	const tableKeys = [keys.engine, keys.nodes, keys.table, keys.members, keys.records];
	const user = rights === undefined ? '' : await userOf(admin, rights.replaceAll('APPLICATION', botKey(simulator.token)));
	const folder = tempDir('shardctl-cluster-');
	const file = join(folder, 'handled');
	writeFileSync(file, '');
	const witness = new HandledFile(file);
	// Both sides have the same short window, so that a test costs no 5 s for each session.
	writeFileSync(join(folder, 'shardctl.config.json'), JSON.stringify({ identifyWindowMs }));
	const guildIds = [...simulator.world.guilds.ids({ id: 0, count: 1 })];
	const counts = guildIds.map(() => 0);
	let sent = 0;

	async function networkOf(): Promise<{ toRedis: TcpProxy; toDiscord: TcpProxy }> {
		const [toRedis, toDiscord] = await Promise.all([tcpProxy(redis.port), tcpProxy(simulator.port)]);
		onTestFinished(async () => {
			await Promise.all([toRedis.close(), toDiscord.close()]);
		});
		return { toRedis, toDiscord };
	}

	async function launch(
		name: string,
		args: readonly string[] = [],
		{ env = {}, command }: { env?: Record<string, string>; command?: readonly string[] } = {},
	): Promise<ClusterNodeRun> {
		const sandbox = cliSandbox();
		const { toRedis, toDiscord } = await networkOf();
		const run = sandbox.run(
			`start ${bot} --name fleet ${queue ? '--gateway queue' : direct ? '' : `--gateway resident --gateway-sessions ${sessions}`} --shards ${shards} --api ${simulator.url}
			--cluster ${(ownNetworks ? toRedis.url : redis.url).replace('://', `://${user}`)} --node ${name} --lease ${lease} --grace 5s --log-format json --stats-interval 500ms`
				.split(/\s+/)
				.concat(common, args),
			{
				cwd: folder,
				env: {
					DISCORD_TOKEN: simulator.token,
					HANDLED: file,
					INTENTS: '33281',
					WITNESS: name,
					...(ownNetworks && { NODE_OPTIONS: `--import=${ownNetwork}`, OWN_NETWORK: `${simulator.port}:${toDiscord.port}` }),
					...commonEnv,
					...env,
				},
				...(command ? { command } : {}),
			},
		);
		const node: ClusterNodeRun = {
			name,
			sandbox,
			run,
			toRedis,
			toDiscord,
			processes: () => sandbox.survivors(),
			times: (pattern) => run.json().filter(({ msg }) => pattern.test(String(msg))).length,
			cli: (...command: string[]) => sandbox.output([...command, '--name', 'fleet']),
			async json<T>(...command: string[]) {
				const { code, stdout, stderr } = await sandbox.output([...command, '--json', '--name', 'fleet']);
				if (code !== 0) throw new Error(`shardctl ${command.join(' ')} ended with ${code}: ${stderr}`);
				return JSON.parse(stdout) as T;
			},
			async gateways() {
				const { gateways } = await node.json<{ gateways: { pid: number | null }[] }>('stats', '--local');
				return gateways.flatMap(({ pid }) => pid ?? []);
			},
			gatewayProcesses: () => sandbox.survivors().filter(isGateway),
			kill(what, signal = 'SIGKILL') {
				const pids = what === 'manager' ? [run.pid] : sandbox.survivors();
				for (const pid of pids) if (isAlive(pid)) process.kill(pid, signal);
			},
		};
		return node;
	}

	const newestOf = new Map<string, number>();
	let seen = 0;
	/** Guild → the newest event that it has handled. */
	function newestHandled(): ReadonlyMap<string, number> {
		const handled = witness.read();
		for (; seen < handled.length; seen++) {
			const { guildId, number } = handled[seen] as Handled;
			if (number > (newestOf.get(guildId) ?? 0)) newestOf.set(guildId, number);
		}
		return newestOf;
	}

	const counted = () => new Map(guildIds.map((id, index) => [id, counts[index] as number]));
	const fleet: ClusterFleet = {
		simulator,
		redis,
		guildIds,
		folder: (name) => join(folder, name),
		launch,
		async start(name, args) {
			const node = await launch(name, args);
			await node.run.message(/^fleet ready/);
			return node;
		},
		async startAll(names, args = []) {
			const expect = names.length > 1 ? ['--expect', String(names.length)] : [];
			const nodes = await Promise.all(names.map((name) => launch(name, [...expect, ...args])));
			await Promise.all(nodes.map((node) => node.run.message(/^fleet ready/)));
			return Object.fromEntries(nodes.map((node) => [node.name, node])) as never;
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
		handled: () => witness.read(),
		async handledAll() {
			// What is left out is found by the judge: each guild's last event arrives after all before it.
			const all = () => {
				const newest = newestHandled();
				return guildIds.every((id, index) => (newest.get(id) ?? 0) >= (counts[index] as number));
			};
			await waitFor(`all ${sent} messages to be handled`, all).catch((cause: unknown) => {
				const { lost, faults } = judge(fleet.handled(), counted());
				throw new Error(`not handled:\n${[...lost, ...faults].slice(0, 20).join('\n')}`, { cause });
			});
			return fleet.handled();
		},
		async verdict({ identifies, repeats: most = 0, replays = false }) {
			const verdict = judge(await fleet.handledAll(), counted(), { replays });
			expect(verdict).toMatchObject({ faults: [], lost: [] });
			expect(verdict.repeats).toBeLessThanOrEqual(most);
			fleet.expectIdentifies(identifies);
			return verdict;
		},
		async served() {
			// As it is now: a message of before may have been handled by an owner that is gone since.
			const before = new Map(guildIds.map((id, index) => [id, counts[index] as number]));
			await waitFor('each guild to handle a new message', () => {
				const newest = newestHandled();
				return guildIds.every((id) => (newest.get(id) ?? 0) > (before.get(id) as number));
			});
		},
		table: async () => clusterView(await admin.script(ownershipScripts().read, tableKeys, [])),
		async sessionsOf(node) {
			const { nodes, sessions } = await fleet.table();
			// Another process of the same name may have been there before.
			const owner = nodes.find(({ member }) => member?.pid === node.run.pid)?.node;
			return sessions.filter((row) => owner !== undefined && row.owner === owner).map(({ session }) => session);
		},
		async spares(node) {
			const sessions = await fleet.sessionsOf(node);
			return node.gatewayProcesses().length - sessions.length;
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

/** A user with these rights and no others, as the first part of a URL. */
async function userOf(admin: RedisPort, rights: string): Promise<string> {
	await admin.batch([['ACL', 'SETUSER', 'bot', 'reset', 'on', '>a-password', ...rights.split(' ')]]);
	return 'bot:a-password@';
}

/** By its program: a worker or the manager has another. */
function isGateway(pid: number): boolean {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('gateway-process.mjs');
	} catch {
		return false;
	}
}
