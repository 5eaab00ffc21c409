// The options `queue` and `workers` of createShardManager: the Redis through which events go to workers, and how many workers run here.
import { readFileSync } from 'node:fs';
import type { ClusterRedis, OptionProblem } from '@shardctl/core';
import { messageOf, redisUrlProblem } from '@shardctl/core';
import { z } from 'zod';

const wholeNumber = z.number().int({ error: 'must be a whole number' }).min(1, { error: 'must be a whole number from 1' });
const file = z.string({ error: 'must be the path of a file' }).optional();

export const queueSchema = z.union(
	[
		z.string(),
		z.strictObject({
			url: z.string().optional(),
			keepBytes: wholeNumber.optional(),
			keepAgeMs: wholeNumber.optional(),
			workersOnly: z.boolean({ error: 'must be true or false' }).optional(),
			ca: file,
			cert: file,
			key: file,
		}),
	],
	{ error: 'must be the URL of a Redis, or { url, keepBytes, keepAgeMs, workersOnly, ca, cert, key }' },
);

/** With `gateway: 'queue'`: where events are written to and read from. */
export interface QueueOptions {
	/** `redis://[user:password@]host[:port]`, or `rediss://` for TLS (default: `SHARDCTL_QUEUE`, else the Redis of the cluster). */
	url?: string;
	/** How much of the events Redis keeps for workers that are away, in bytes (default 1 GiB). */
	keepBytes?: number;
	/** The same in ms of age (default 10 min). */
	keepAgeMs?: number;
	/** Runs workers only: other managers of the same bot hold the sessions with Discord, and write to the queue. */
	workersOnly?: boolean;
	/** Files in PEM, for `rediss://`: the authority that has signed the certificate of Redis, and a certificate for this client. */
	ca?: string;
	cert?: string;
	key?: string;
}

export interface ResolvedQueueOptions {
	redis: ClusterRedis;
	keep: { bytes: number; ageMs: number };
	/** Whether gateway processes here hold sessions, and write. */
	sessions: boolean;
	/** Workers that run here. */
	workers: number;
}

const defaultKeep = { bytes: 1024 ** 3, ageMs: 10 * 60_000 };

export interface QueueSetting {
	/** Whether the mode is `queue`. */
	isOn: boolean;
	queue: string | QueueOptions | undefined;
	workers: number | undefined;
	/** Whether there is a bot file. */
	hasFile: boolean;
	/** Of the cluster that this manager is a node of; undefined on one machine. */
	clusterRedis: ClusterRedis | undefined;
	env: NodeJS.ProcessEnv;
}

/** Null where events do not go through a queue. Adds what is wrong to `problems`. */
export function resolveQueueOptions(
	{ isOn, queue, workers, hasFile, clusterRedis, env }: QueueSetting,
	problems: OptionProblem[],
): ResolvedQueueOptions | null {
	if (!isOn) {
		const needs = 'needs --gateway queue (gateway "queue"), with which workers get their events from Redis';
		if (queue !== undefined) problems.push({ option: 'queue', problem: needs });
		if (workers !== undefined) {
			problems.push({ option: 'workers', problem: `${needs}; without it the shards decide: see shardsPerWorker` });
		}
		return null;
	}
	const options: QueueOptions = typeof queue === 'string' ? { url: queue } : (queue ?? {});
	const { workersOnly = false, keepBytes, keepAgeMs } = options;
	if (!hasFile && workers !== undefined) {
		problems.push({ option: 'workers', problem: 'needs a bot file: shardctl start worker.js --gateway queue --workers N' });
	}
	if (!hasFile && workersOnly) {
		problems.push({ option: 'queue.workersOnly', problem: 'needs a bot file: there would be nothing to run' });
	}
	if (workersOnly && clusterRedis) {
		problems.push({
			option: 'queue.workersOnly',
			problem:
				'cannot be set with cluster, whose nodes hold the sessions: start a manager that only runs workers without --cluster, and with ' +
				'the Redis of the queue (--queue)',
		});
	}
	const url = options.url ?? env.SHARDCTL_QUEUE;
	const redis = url === undefined ? redisOfCluster(clusterRedis, options, problems) : redisOf(url, options, problems);
	if (!redis) return null;
	return {
		redis,
		keep: { bytes: keepBytes ?? defaultKeep.bytes, ageMs: keepAgeMs ?? defaultKeep.ageMs },
		sessions: !workersOnly,
		workers: hasFile ? (workers ?? 1) : 0,
	};
}

/** The same Redis, with the same certificates. */
function redisOfCluster(
	redis: ClusterRedis | undefined,
	{ ca, cert, key }: QueueOptions,
	problems: OptionProblem[],
): ClusterRedis | undefined {
	if (redis === undefined) {
		const problem = 'is missing: name the Redis of the event queue, such as redis://localhost:6379 (--queue, SHARDCTL_QUEUE)';
		problems.push({ option: 'queue.url', problem });
	} else if (ca !== undefined || cert !== undefined || key !== undefined) {
		const problem =
			'is missing: certificates of the queue need its address; without both the queue is in the Redis of the cluster';
		problems.push({ option: 'queue.url', problem });
	}
	return redis;
}

function redisOf(url: string, options: QueueOptions, problems: OptionProblem[]): ClusterRedis | undefined {
	const wrong = redisUrlProblem(url);
	if (wrong !== undefined) problems.push({ option: 'queue', problem: wrong });
	const tls: NonNullable<ClusterRedis['tls']> = {};
	for (const part of ['ca', 'cert', 'key'] as const) {
		const path = options[part];
		if (path === undefined) continue;
		try {
			tls[part] = readFileSync(path, 'utf8');
		} catch (error) {
			problems.push({ option: `queue.${part}`, problem: `cannot be read: ${messageOf(error)}` });
		}
	}
	if ((options.cert === undefined) !== (options.key === undefined)) {
		problems.push({ option: 'queue.cert', problem: 'and queue.key belong together: give both' });
	}
	const hasTls = Object.keys(tls).length > 0;
	if (hasTls && wrong === undefined && !url.startsWith('rediss:')) {
		problems.push({ option: 'queue', problem: 'must begin with rediss:// when certificates are given' });
	}
	return wrong === undefined ? { url, ...(hasTls ? { tls } : {}) } : undefined;
}
