// Checks of the Redis through which events go to workers (`gateway: 'queue'`).
import type { EngineReport } from '@shardctl/cluster';
import type { ShardManagerOptions } from '@shardctl/manager';
import { type Finding, fail, warn } from './finding.js';
import {
	engineFindings,
	examineRedis,
	megabytes,
	type RedisAddress,
	type RedisUse,
	type ReportContext,
	useFindings,
} from './redis.js';

const use: RedisUse = {
	name: 'an event queue',
	exposure: 'read every event, and write events of its own',
	fullLoses: 'no event is written, and what the gateway processes cannot keep meanwhile is lost',
	restartLoses: 'the events that no worker has handled yet',
};

export interface QueueCheckOptions {
	/** As in createShardManager. */
	queue: ShardManagerOptions['queue'];
	token: string;
	env: NodeJS.ProcessEnv;
	/** Of the cluster, in which the queue is where it has no address of its own. */
	cluster?: RedisAddress | undefined;
}

export async function checkQueue({ queue, token, env, cluster }: QueueCheckOptions): Promise<Finding[]> {
	const { url = env.SHARDCTL_QUEUE, ca, cert, key, keepBytes } = typeof queue === 'string' ? { url: queue } : (queue ?? {});
	const address = url === undefined ? cluster : { url, ca, cert, key };
	if (!address) {
		const remedy = 'set "queue" in the config file, or SHARDCTL_QUEUE, such as redis://localhost:6379';
		return [fail('redis', 'the Redis of the event queue is not named', remedy)];
	}
	return examineRedis({ address, option: url === undefined ? 'cluster' : 'queue', token }, (report, context) => [
		...queueFindings(report, context),
		...keepFindings(report, keepBytes),
	]);
}

/** As in createShardManager. */
const defaultKeepBytes = 2 ** 30;

/** What is kept for workers that are away must fit. */
export function keepFindings({ maxBytes }: Pick<EngineReport, 'maxBytes'>, keepBytes = defaultKeepBytes): Finding[] {
	if (maxBytes === 0 || keepBytes < maxBytes) return [];
	const text = `Redis may use ${megabytes(maxBytes)}, and the queue keeps up to ${megabytes(keepBytes)} for workers that are away`;
	return [warn('redis memory', text, 'set --queue-keep-size below maxmemory, or raise maxmemory')];
}

/** What a report means, in the order in which to fix it. */
export function queueFindings(report: EngineReport, context: ReportContext): Finding[] {
	return [...engineFindings(report, context), ...useFindings(report, context, use)];
}
