// The connection of this manager to Redis, and what needs nothing else: the identify coordinator of all nodes and the limit of REST requests.
// packages/cluster is loaded here, and only with the option `cluster`.
import type { ClusterKeys, IoredisPort, RedisRestLimit, Timings } from '@shardctl/cluster';
import { botKey, type IdentifyCoordinator, type LimitPart, type LimitWish, type ShardctlError } from '@shardctl/core';
import type { ResolvedClusterOptions } from '../options/cluster-options.js';
import type { ResolvedManagerOptions } from '../options/manager-options.js';

/** How long Redis may take to answer at the start. */
const connectMs = 5000;

export interface ClusterConnectionOptions {
	options: Pick<ResolvedManagerOptions, 'token' | 'clock' | 'identifyReserve' | 'identifyWindowMs'>;
	cluster: Pick<ResolvedClusterOptions, 'redis' | 'node' | 'leaseMs'>;
	/** How many nodes share the limit of REST requests now. */
	nodes(): number;
	onFailed(error: ShardctlError): void;
}

export interface ClusterConnection {
	readonly redis: IoredisPort;
	readonly keys: ClusterKeys;
	readonly timings: Timings;
	readonly coordinator: IdentifyCoordinator;
	/** What asks for this node's part of the limit of REST requests that all nodes share. */
	restLimit(perSecond: number): (wish: LimitWish) => Promise<LimitPart>;
	/** Resolves when Redis can be reached; rejects with `REDIS_UNAVAILABLE`. */
	ready(): Promise<void>;
	close(): Promise<void>;
}

/** Rejects with `REDIS_UNAVAILABLE`, or `REDIS_UNSUITABLE` with everything that is wrong with it. */
export async function connectToCluster({
	options,
	cluster: settings,
	nodes,
	onFailed,
}: ClusterConnectionOptions): Promise<ClusterConnection> {
	const cluster = await import('@shardctl/cluster');
	const redis = new cluster.IoredisPort({ ...settings.redis });
	try {
		await redis.ready(connectMs);
		await cluster.requireSuitableEngine(redis);
		const keys = cluster.clusterKeys(botKey(options.token));
		const coordinator = new cluster.RedisIdentifyCoordinator({
			redis,
			keys,
			clock: options.clock,
			reserve: options.identifyReserve,
			windowMs: options.identifyWindowMs,
			onFailed,
		});
		await coordinator.start();
		return {
			redis,
			keys,
			timings: cluster.timingsFor({ leaseMs: settings.leaseMs }),
			coordinator,
			restLimit(perSecond) {
				const limit: RedisRestLimit = new cluster.RedisRestLimit({
					redis,
					keys,
					node: settings.node,
					perSecond,
					nodes,
					onFailed,
				});
				return (wish) => limit.ask(wish);
			},
			ready: () => redis.ready(connectMs),
			async close() {
				await coordinator.close().catch(() => {});
				await redis.close();
			},
		};
	} catch (error) {
		await redis.close();
		throw error;
	}
}
