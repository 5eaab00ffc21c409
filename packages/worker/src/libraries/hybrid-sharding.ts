// `client.cluster` of discord-hybrid-sharding 2 and 3 over our calls: a bot that was written for its ClusterManager runs unmodified.
// A cluster is a worker. Documented members without a counterpart say so when they are called.
import { parentPort } from 'node:worker_threads';
import { type CallOptions, type RespawnAllOptions, ShardctlError } from '@shardctl/core';
import { WorkerCalls } from '../calls.js';
import type { WorkerRuntime } from '../runtime.js';

/** What its `getInfo()` returns in a cluster. */
interface ClusterInfo {
	SHARD_LIST: number[];
	TOTAL_SHARDS: number;
	CLUSTER_COUNT: number;
	CLUSTER: number;
	CLUSTER_MANAGER_MODE: string;
	MAINTENANCE: string | undefined;
	CLUSTER_QUEUE_MODE: string;
	FIRST_SHARD_ID: number;
	LAST_SHARD_ID: number;
}

/** Options of its calls: at most one target. */
interface ClusterCallOptions {
	cluster?: number | number[];
	shard?: number;
	guildId?: string;
	context?: unknown;
	timeout?: number;
}

/** The parts of its ClusterClient, an EventEmitter, that are used here. */
interface ClusterClient {
	client: unknown;
	mode: string;
	ready: boolean;
	maintenance: unknown;
	emit(event: string, ...args: unknown[]): boolean;
	on(event: 'newListener', listener: (event: string) => void): unknown;
}

type ClusterClientClass = new (client: unknown) => ClusterClient;

/** While its constructor runs the mode is one that it does not know, so that it opens no channel of its own. */
let constructing = false;

export function hookClusterInfo(exports: unknown, runtime: WorkerRuntime): void {
	(exports as { getInfo: () => ClusterInfo }).getInfo = () => clusterInfo(runtime);
}

function modeOf(thread: boolean | undefined): 'process' | 'worker' {
	return thread ? 'worker' : 'process';
}

function clusterInfo({ config: { shardIds, totalShards, workers, workerId, thread } }: WorkerRuntime): ClusterInfo {
	return {
		SHARD_LIST: [...shardIds],
		TOTAL_SHARDS: totalShards,
		CLUSTER_COUNT: workers,
		CLUSTER: workerId,
		CLUSTER_MANAGER_MODE: constructing ? 'shardctl' : modeOf(thread),
		MAINTENANCE: undefined,
		CLUSTER_QUEUE_MODE: 'auto',
		FIRST_SHARD_ID: shardIds[0] as number,
		LAST_SHARD_ID: shardIds.at(-1) as number,
	};
}

export function hookClusterClient(exports: unknown, runtime: WorkerRuntime): void {
	const library = exports as { ClusterClient: ClusterClientClass };
	library.ClusterClient = clusterClientClass(library.ClusterClient, runtime);
}

/** A subclass of the bot's own ClusterClient, so that `instanceof` holds and `id`, `count`, `info`, `shards` are the library's. */
function clusterClientClass(Original: ClusterClientClass, runtime: WorkerRuntime): ClusterClientClass {
	const fleet = new WorkerCalls(runtime);

	return class ShardctlClusterClient extends Original {
		constructor(client: unknown) {
			constructing = true;
			try {
				super(client);
			} finally {
				constructing = false;
			}
			this.mode = modeOf(runtime.config.thread);
			// The manager sees readiness by itself, so there is nothing to wait for.
			this.on('newListener', (event) => {
				if (event === 'message') this.#passMessages();
			});
		}

		#passing = false;

		/** Messages of manager.send(): the bot's listener keeps the channel open, as it does on `process`. */
		#passMessages(): void {
			if (this.#passing) return;
			this.#passing = true;
			(parentPort ?? process).on('message', (message) => this.emit('message', message));
		}

		/** One result per worker, always in a list, as the library has it. */
		async broadcastEval(script: never, options: ClusterCallOptions = {}): Promise<unknown[]> {
			const context = options.context === undefined ? {} : { context: options.context };
			return each(await targets(options), (target) => fleet.broadcastEval(script, { ...context, ...target } as never));
		}

		async fetchClientValues(path: string, cluster?: number | number[]): Promise<unknown[]> {
			const options = cluster === undefined ? {} : { cluster };
			return each(await targets(options), (target) => fleet.fetchClientValues(path, target));
		}

		async respawnAll({ clusterDelay = 0 }: { clusterDelay?: number } = {}): Promise<void> {
			const options: RespawnAllOptions = { rolling: true, delayMs: clusterDelay };
			fleet.respawnAll(options).catch((error: unknown) => {
				console.error('respawnAll failed:', error);
			});
		}

		async send(message: unknown): Promise<void> {
			if (parentPort) {
				parentPort.postMessage(message);
				return;
			}
			await new Promise<void>((resolve, reject) => {
				if (!process.send) reject(new ShardctlError('CHANNEL_CLOSED', 'this process has no channel to a manager'));
				else process.send(message as object, undefined, undefined, (error) => (error ? reject(error) : resolve()));
			});
		}

		async request(): Promise<never> {
			throw withoutCounterpart(
				'client.cluster.request()',
				'register a handler with handle() and use call(), both of shardctl/worker',
			);
		}

		async evalOnManager(): Promise<never> {
			throw withoutCounterpart('client.cluster.evalOnManager()', 'run the script in a worker with broadcastEval()');
		}

		triggerReady(): boolean {
			this.ready = true;
			return true;
		}

		triggerMaintenance(maintenance: unknown): unknown {
			this.maintenance = maintenance;
			return maintenance;
		}

		spawnNextCluster(): void {}
	};

	/** The calls that a target of the library means: one, or one per cluster that is named. */
	async function targets({ cluster, shard, guildId, timeout }: ClusterCallOptions): Promise<CallOptions[]> {
		const rest = timeout === undefined ? {} : { timeoutMs: timeout };
		if (guildId !== undefined) return [{ ...rest, guildId }];
		if (shard !== undefined) return [{ ...rest, shard }];
		if (cluster === undefined) return [rest];
		const stats = await fleet.getShardStats();
		return [cluster].flat().map((id) => {
			const found = stats.find(({ workerId }) => workerId === id);
			if (!found)
				throw new ShardctlError('SHARD_NOT_OWNED', `there is no cluster ${id}; this fleet has ${runtime.config.workers}`);
			return { ...rest, shard: found.shardId };
		});
	}
}

/** A call to all gives a list; a call to one gives one value, which becomes a list of one. */
async function each(targets: CallOptions[], call: (target: CallOptions) => Promise<unknown>): Promise<unknown[]> {
	const results = await Promise.all(targets.map(call));
	const [only] = targets;
	return targets.length === 1 && only?.shard === undefined && only?.guildId === undefined ? (results[0] as unknown[]) : results;
}

function withoutCounterpart(what: string, instead: string): ShardctlError {
	return new ShardctlError('METHOD_NOT_FOUND', `${what} has no counterpart under shardctl; ${instead}`);
}
