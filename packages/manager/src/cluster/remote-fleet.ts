// What another node runs, as a fleet: each method is one request to that node.
import type { NodeRow } from '@shardctl/cluster';
import type { DeployRequest, Fleet, FleetQueue, LogEntry, WorkerView } from '@shardctl/control';
import type {
	BroadcastEvalOptions,
	CallOptions,
	DeployOutcome,
	DeployStats,
	ManagerStats,
	RespawnAllOptions,
} from '@shardctl/core';
import { noReshardOfNode } from '../reshard/reshard-request.js';
import type { ClusterCalls } from './cluster-calls.js';
import type { NodeLinks } from './node-links.js';
import type { RemoteFleetMethod } from './node-methods.js';

export interface RemoteFleetOptions {
	row: NodeRow;
	links: NodeLinks;
	/** Into the bots of that node only. */
	calls: ClusterCalls;
	name: string;
	totalShards: number;
	/** One for all nodes. */
	queue: FleetQueue | undefined;
	stop: Fleet['stop'];
}

/** Of what a node has at hand. */
const readTimeoutMs = 1500;
/** With `fresh` it asks its workers, for at most 2 s. */
const freshTimeoutMs = 5000;

export class RemoteFleet implements Fleet {
	readonly #options: RemoteFleetOptions;

	constructor(options: RemoteFleetOptions) {
		this.#options = options;
	}

	get name(): string {
		return this.#options.name;
	}

	get version(): string {
		return this.#options.row.member?.version ?? 'unknown';
	}

	get totalShards(): number {
		return this.#options.totalShards;
	}

	getStats(options: { fresh?: boolean } = {}): Promise<ManagerStats> {
		return this.#ask('getStats', [options], options.fresh ? freshTimeoutMs : readTimeoutMs);
	}

	getWorkers(): Promise<readonly WorkerView[]> {
		return this.#ask('getWorkers', [], readTimeoutMs);
	}

	recentLogs(options: { shard?: number | undefined }): Promise<LogEntry[]> {
		return this.#ask('recentLogs', [options], readTimeoutMs);
	}

	/** Its events are followed through {@link FleetCluster.follow}. */
	onEvent(): void {}
	onLog(): void {}

	broadcastEval(script: string, options: BroadcastEvalOptions): Promise<unknown> {
		return this.#options.calls.broadcastEval(script, options);
	}

	fetchClientValues(path: string, options: CallOptions): Promise<unknown> {
		return this.#options.calls.fetchClientValues(path, options);
	}

	call(name: string, args: unknown[], options: CallOptions): Promise<unknown> {
		return this.#options.calls.call(name, args as never, options);
	}

	replaceWorker(workerId: number, reason: string): Promise<boolean> {
		return this.#ask('replaceWorker', [workerId, reason]);
	}

	respawnAll(options: RespawnAllOptions): Promise<void> {
		return this.#ask('respawnAll', [options]);
	}

	startDeploy(options: DeployRequest): Promise<DeployStats> {
		return this.#ask('startDeploy', [options]);
	}

	waitForDeploy(id: number): Promise<DeployOutcome> {
		return this.#ask('waitForDeploy', [id]);
	}

	cancelDeploy(id: number | undefined, options?: { onlyQueued?: boolean }): Promise<DeployStats> {
		return this.#ask('cancelDeploy', [id, options]);
	}

	scale(workers: number): Promise<{ from: number; to: number }> {
		return this.#ask('scale', [workers]);
	}

	get queue(): FleetQueue | undefined {
		return this.#options.queue;
	}

	async reshard(): Promise<never> {
		throw noReshardOfNode();
	}

	restartGateways(): Promise<void> {
		return this.#ask('restartGateways', []);
	}

	restartRest(): Promise<void> {
		return this.#ask('restartRest', []);
	}

	stop(options: Parameters<Fleet['stop']>[0]): Promise<void> {
		return this.#options.stop(options);
	}

	/** @returns What that method of a fleet returns. Without a deadline it lasts as long as the other node lives. */
	async #ask<Result>(method: RemoteFleetMethod, args: unknown[], timeoutMs = 0): Promise<Result> {
		const { row, links } = this.#options;
		return (await links.request(row, 'fleet', { method, args }, { timeoutMs })) as Result;
	}
}
