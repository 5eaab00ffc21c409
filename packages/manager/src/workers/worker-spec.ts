// What a worker's process is started with: discord.js's own variables, so that the library picks up its slice by itself, and
// the config of the worker package.
import { createRequire } from 'node:module';
import { type ClusterRedis, type GatewayInfo, type WorkerConfig, workerConfigVariable } from '@shardctl/core';
import type { ChildSpec } from '@shardctl/supervisor';
import { childEnvironment, withoutClusterSecret } from '../children/child-environment.js';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import type { BotPaths } from './bot-version.js';
import { compileCacheEnvironment } from './compile-cache.js';
import { launchMark } from './launch-mark.js';

const registerModule = createRequire(import.meta.url).resolve('@shardctl/worker/register');

/** JSON has no Infinity; two weeks of grace are as good as no end. */
const longestGraceMs = 14 * 24 * 60 * 60 * 1000;
/** How often workers are measured for the memory limit when no client asks for their figures. */
const memorySampleMs = 5000;

export interface Incarnation {
	workerId: number;
	epoch: number;
	shardIds: readonly number[];
	totalShards: number;
	/** How many workers the fleet has. */
	workers: number;
	gateway: GatewayInfo;
	leaseUntilMs?: number | undefined;
	/** Where it finds Discord's REST API. */
	api: string;
	/** Of the version of the bot that it runs. */
	paths: BotPaths;
}

/** The spec of one incarnation of a worker. */
export function workerSpec(
	options: ResolvedManagerOptions,
	{ workerId, epoch, shardIds, totalShards, workers, gateway, leaseUntilMs, api, paths }: Incarnation,
): ChildSpec {
	const { file, cwd } = paths;
	const { args, execArgv, env, token, shutdownGraceMs, simulator, queue } = options;
	const config: WorkerConfig = {
		workerId,
		epoch,
		shardIds: [...shardIds],
		totalShards,
		workers,
		...(options.workerMode === 'thread' ? { thread: true } : {}),
		botFile: file,
		api,
		gateway,
		statsIntervalMs: sampleIntervalMs(options),
		shutdownGraceMs: Math.min(shutdownGraceMs, longestGraceMs),
		launchMark,
		...(leaseUntilMs === undefined ? {} : { leaseUntilMs }),
		...(options.cluster ? { node: options.cluster.node } : {}),
		...(options.cluster && options.gateway ? { sessionStays: true } : {}),
		...(simulator ? { simulator: new URL(simulator.url).origin } : {}),
		...(queue ? { queue: true } : {}),
	};
	return {
		id: `worker ${workerId}`,
		ordinal: workerId,
		file,
		args: [...args],
		execArgv: ['--require', registerModule, ...execArgv],
		env: workerEnvironment(process.env, {
			config,
			token,
			env: { ...env, SHARDCTL_API: api },
			...(queue && { queue: queue.redis }),
		}),
		...(cwd === undefined ? {} : { cwd }),
	};
}

/** 0 for never. The memory limit is judged by the same samples as the stats. */
export function sampleIntervalMs({ statsIntervalMs, maxMemoryBytes }: ResolvedManagerOptions): number {
	if (Number.isFinite(statsIntervalMs)) return statsIntervalMs;
	return Number.isFinite(maxMemoryBytes) ? memorySampleMs : 0;
}

/**
 * The environment of a worker. `SHARDING_MANAGER*`, `SHARDS` and `SHARD_COUNT` are what discord.js 14 reads; the token travels
 * here and not in the arguments, which every user of the machine can read.
 */
export function workerEnvironment(
	inherited: NodeJS.ProcessEnv,
	{
		config,
		token,
		env,
		queue,
	}: {
		config: WorkerConfig;
		token: string;
		env: Readonly<Record<string, string>>;
		/** Where its events are, instead of in shards of its own. */
		queue?: ClusterRedis;
	},
): Record<string, string> {
	const own = queue
		? queueVariables(queue, { config, token })
		: {
				SHARDING_MANAGER: 'true',
				SHARDING_MANAGER_MODE: config.thread ? 'worker' : 'process',
				// One shard as discord.js's ShardingManager gives it, so that a bot may read it with Number().
				SHARDS: config.shardIds.length === 1 ? String(config.shardIds[0]) : JSON.stringify(config.shardIds),
				SHARD_COUNT: String(config.totalShards),
				DISCORD_TOKEN: token,
				[workerConfigVariable]: JSON.stringify(config),
			};
	return childEnvironment(compileCacheEnvironment({ ...inherited, ...env }), inherited, withoutClusterSecret, env, own);
}

/** What `connectQueue` of `shardctl/queue` reads. A worker of the queue is no shard of discord.js. */
function queueVariables(
	{ url, tls }: ClusterRedis,
	{ config, token }: { config: WorkerConfig; token: string },
): Record<string, string | undefined> {
	return {
		SHARDCTL_QUEUE: url,
		SHARDCTL_QUEUE_TLS: tls ? JSON.stringify(tls) : undefined,
		DISCORD_TOKEN: token,
		[workerConfigVariable]: JSON.stringify(config),
	};
}
