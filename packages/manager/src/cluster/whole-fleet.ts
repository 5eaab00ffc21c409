// All nodes of a cluster as one fleet: reads from all at once and merges, acts on one after the other, so that a fault shows on one node before
// it reaches the next.
import type { DeployRequest, Fleet, FleetQueue, LogEntry, NodeInfo, SessionPlace, WorkerView } from '@shardctl/control';
import {
	type BroadcastEvalOptions,
	type CallOptions,
	type Clock,
	type DeployOutcome,
	type DeployStats,
	type ManagerStats,
	messageOf,
	type ReshardOutcome,
	type ReshardRequest,
	type RespawnAllOptions,
	ShardctlError,
	sessionsOfShards,
} from '@shardctl/core';
import { readReshardRequest } from '../reshard/reshard-request.js';
import { atNode } from './at-node.js';
import type { ClusterCalls } from './cluster-calls.js';
import { ClusterDeploys, type DeployConductor } from './cluster-deploys.js';
import type { ClusterReshards } from './cluster-reshards.js';
import { mergeStats, type NodeStats, workerKey } from './merge-stats.js';
import { reshardWaits } from './reshard-waits.js';

/** One node of the cluster at this moment. */
export interface NodeFleet {
	name: string;
	fleet: Fleet;
	isSelf: boolean;
}

export interface WholeFleetOptions {
	clock: Clock;
	local: Fleet;
	calls: ClusterCalls;
	totalShards(): number;
	/** The live nodes in order of their names. */
	nodes(): Promise<NodeFleet[]>;
	/** Read with {@link nodes}. */
	table(): Promise<ClusterTable>;
	/** See {@link ClusterDeploys}. */
	conductors(): Promise<readonly DeployConductor[]>;
	reshards: Pick<ClusterReshards, 'reshard' | 'stats' | 'shardsLeft'>;
}

/** What the table of the cluster says. */
export interface ClusterTable {
	nodes: NodeInfo[];
	places: SessionPlace[];
	/** How many sessions with Discord one that is placed is, or becomes. */
	sessionsEach: number;
	/** Why that is not how it is now, but how it was last. */
	problem: string | undefined;
}

export class WholeFleet implements Fleet {
	readonly #options: WholeFleetOptions;
	readonly deploys: ClusterDeploys;

	constructor(options: WholeFleetOptions) {
		this.#options = options;
		this.deploys = new ClusterDeploys({
			clock: options.clock,
			nodes: () => this.#withWorkers(),
			conductors: options.conductors,
		});
	}

	get name(): string {
		return this.#options.local.name;
	}

	get version(): string {
		return this.#options.local.version;
	}

	get totalShards(): number {
		return this.#options.totalShards();
	}

	async getStats(options: { fresh?: boolean } = {}): Promise<ManagerStats> {
		const [nodes, table] = await Promise.all([this.#options.nodes(), this.#options.table()]);
		const parts = await Promise.all(
			nodes.map(async ({ name, fleet }): Promise<NodeStats> => {
				try {
					return { node: name, stats: await fleet.getStats(options) };
				} catch (error) {
					return { node: name, error: messageOf(error) };
				}
			}),
		);
		const self = nodes.find(({ isSelf }) => isSelf)?.name ?? '';
		const merged = mergeStats({ self, ...table, parts });
		const deploy = this.deploys.stats(deployOf(parts, this.deploys.currentNode) ?? merged.deploy);
		const reshard = this.#reshardStats({ health: merged.health, places: table.places });
		return { ...merged, ...(deploy ? { deploy } : {}), ...(reshard ? { reshard } : {}) };
	}

	/** Of the nodes that respond. */
	async getWorkers(): Promise<readonly WorkerView[]> {
		const [lists, { places }] = await Promise.all([
			this.#ofEach(async ({ name, fleet }) => (await fleet.getWorkers()).map((worker) => ({ ...worker, node: name }))),
			this.#options.table(),
		]);
		const ownerOf = new Map(places.flatMap(({ shardIds, node }) => shardIds.map((id) => [id, node])));
		const byKey = new Map<number | string, WorkerView>();
		// While a session moves, two nodes have processes for it: the one that owns it counts.
		for (const worker of lists.flat()) {
			const key = workerKey(worker);
			if (!byKey.has(key) || ownerOf.get(worker.shardIds[0] as number) === worker.node) byKey.set(key, worker);
		}
		return [...byKey.values()].sort((a, b) => (a.shardIds[0] ?? 0) - (b.shardIds[0] ?? 0));
	}

	async recentLogs(options: { shard?: number | undefined }): Promise<LogEntry[]> {
		const lists = await this.#ofEach(async ({ name, fleet }) =>
			(await fleet.recentLogs(options)).map((entry) => ({ ...entry, node: name })),
		);
		return lists.flat().sort((a, b) => a.at - b.at);
	}

	onEvent(listener: Parameters<Fleet['onEvent']>[0]): void {
		this.#options.local.onEvent(listener);
	}

	onLog(listener: Parameters<Fleet['onLog']>[0]): void {
		this.#options.local.onLog(listener);
	}

	broadcastEval(script: string, options: BroadcastEvalOptions): Promise<unknown> {
		return this.#options.calls.broadcastEval(script, options);
	}

	fetchClientValues(path: string, options: CallOptions): Promise<unknown> {
		return this.#options.calls.fetchClientValues(path, options);
	}

	call(name: string, args: unknown[], options: CallOptions): Promise<unknown> {
		return this.#options.calls.call(name, args as never, options);
	}

	async replaceWorker(workerId: number, reason: string): Promise<boolean> {
		const nodes = await this.#options.nodes();
		// Which of them has one of this number is not certain while one does not respond.
		if (this.queue && nodes.length > 1) throw countedByEach(workerId, nodes);
		const worker = (await this.getWorkers()).find(({ id }) => id === workerId);
		const node = nodes.find(({ name }) => name === worker?.node);
		return node ? node.fleet.replaceWorker(workerId, reason) : false;
	}

	/** Rolling: a node only after the one before it. */
	async respawnAll(options: RespawnAllOptions): Promise<void> {
		const nodes = await this.#withWorkers();
		if (options.rolling === false) {
			await settled(nodes, (fleet) => fleet.respawnAll(options));
			return;
		}
		for (const { name, fleet } of nodes) await atNode(name, fleet.respawnAll(options));
	}

	async startDeploy(options: DeployRequest): Promise<DeployStats> {
		return this.deploys.start(options);
	}

	async waitForDeploy(id: number): Promise<DeployOutcome> {
		return this.deploys.outcome(id);
	}

	async cancelDeploy(id: number | undefined, options?: { onlyQueued?: boolean }): Promise<DeployStats> {
		return this.deploys.cancel(id, options);
	}

	/** Of each node that runs any: as many as each of them is to have. Resolves with how many there were and are on all. */
	async scale(workers: number): Promise<{ from: number; to: number }> {
		const nodes = await this.#withWorkers();
		// Without any, the reason is the same on each.
		if (nodes.length === 0) return this.#options.local.scale(workers);
		const scaled = await settled(nodes, (fleet) => fleet.scale(workers));
		return { from: sum(scaled.map(({ from }) => from)), to: sum(scaled.map(({ to }) => to)) };
	}

	/** The queue is one for all nodes. */
	get queue(): FleetQueue | undefined {
		return this.#options.local.queue;
	}

	async reshard(request: ReshardRequest): Promise<ReshardOutcome> {
		const { reshards } = this.#options;
		const outcome = await reshards.reshard(readReshardRequest(request), { byPerson: true });
		if (!request.dryRun) return outcome;
		const [{ health }, { nodes, places }] = await Promise.all([this.getStats(), this.#options.table()]);
		return {
			...outcome,
			nodes: sessionsByNode(outcome.to, { nodes, places }),
			waitsFor: reshardWaits(reshards.shardsLeft(outcome.to), { health, places }),
		};
	}

	#reshardStats(facts: { health: ManagerStats['health']; places: SessionPlace[] }): ManagerStats['reshard'] {
		const { reshards } = this.#options;
		const stats = reshards.stats();
		return stats?.state === 'running' ? { ...stats, waitsFor: reshardWaits(reshards.shardsLeft(), facts) } : stats;
	}

	async restartGateways(): Promise<void> {
		for (const { name, fleet } of await this.#withSessions()) await atNode(name, fleet.restartGateways());
	}

	async restartRest(): Promise<void> {
		for (const { name, fleet } of await this.#options.nodes()) await atNode(name, fleet.restartRest());
	}

	stop(options: Parameters<Fleet['stop']>[0]): Promise<void> {
		return this.#options.local.stop(options);
	}

	/** Of the nodes that respond: a read is not worth less because one is gone, which health reports. */
	async #ofEach<T>(read: (node: NodeFleet) => Promise<T>): Promise<T[]> {
		const results = await Promise.allSettled((await this.#options.nodes()).map(read));
		return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
	}

	/** Where workers have no shards, each node may have some. One that does not respond is left in: what is done there names it. */
	async #withWorkers(): Promise<NodeFleet[]> {
		if (!this.queue) return this.#withSessions();
		const nodes = await this.#options.nodes();
		const counts = await Promise.allSettled(nodes.map(async ({ fleet }) => (await fleet.getWorkers()).length));
		return nodes.filter((_node, index) => {
			const count = counts[index];
			return count?.status !== 'fulfilled' || count.value > 0;
		});
	}

	async #withSessions(): Promise<NodeFleet[]> {
		const [nodes, { places }] = await Promise.all([this.#options.nodes(), this.#options.table()]);
		const owners = new Set(places.map(({ node }) => node));
		return nodes.filter(({ name }) => owners.has(name));
	}
}

/** How many of that many sessions each node has where they replace those that it has now: those that take sessions, or have some. */
function sessionsByNode(sessions: number, { nodes, places }: Pick<ClusterTable, 'nodes' | 'places'>) {
	return nodes.flatMap(({ name, status }) => {
		const shardIds = places.filter(({ node }) => node === name).flatMap((place) => place.shardIds);
		const count = sessionsOfShards({ sessions }, shardIds).length;
		return status === 'ready' || count > 0 ? [{ name, sessions: count }] : [];
	});
}

async function settled<T>(nodes: readonly NodeFleet[], act: (fleet: Fleet) => Promise<T>): Promise<T[]> {
	const results = await Promise.allSettled(nodes.map(({ name, fleet }) => atNode(name, act(fleet))));
	const failed = results.find((result) => result.status === 'rejected');
	if (failed) throw failed.reason;
	return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

function sum(counts: readonly number[]): number {
	return counts.reduce((total, count) => total + count, 0);
}

function countedByEach(workerId: number, nodes: readonly NodeFleet[]): ShardctlError {
	const names = nodes.map(({ name }) => name);
	return new ShardctlError(
		'OPTIONS_INVALID',
		`each node counts its own workers of a queue: name the node of worker ${workerId} (--node), one of ${names.join(', ')}`,
		{ details: { workerId, nodes: names } },
	);
}

function deployOf(parts: readonly NodeStats[], node: string | undefined): ManagerStats['deploy'] {
	const part = parts.find((each) => each.node === node);
	return part && 'stats' in part ? part.stats.deploy : undefined;
}
