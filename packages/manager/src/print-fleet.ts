// What a manager in a program prints unless it is silent: the lines of the bots, as discord.js's ShardingManager does, and why a worker
// exited, through the logger.
import { describeWorker, workerMark } from '@shardctl/core';
import type { Logger } from 'pino';
import type { ShardManager } from './shard-manager.js';

/** Where lines go, by the stream that a bot wrote them to. */
export interface OutputStreams {
	stdout: { write(text: string): unknown };
	stderr: { write(text: string): unknown };
}

/** For as long as the manager lives. */
export function printFleet(
	manager: Pick<ShardManager, 'on'>,
	logger: Pick<Logger, 'warn' | 'error'>,
	streams: OutputStreams = process,
): void {
	manager.on('worker:log', ({ workerId, shardIds, stream, line }) =>
		streams[stream].write(`[${workerMark(workerId, shardIds)}] ${line}\n`),
	);
	manager.on('worker:exited', ({ workerId, shardIds, report }) => {
		if (report.reason === 'requested') return;
		logger.warn({ worker: workerId, shards: shardIds }, `${describeWorker(workerId, shardIds)} exited: ${report.message}`);
	});
	manager.on('worker:failed', ({ workerId, shardIds, reason }) =>
		logger.error({ worker: workerId, shards: shardIds }, `${describeWorker(workerId, shardIds)} keeps failing: ${reason}`),
	);
}
