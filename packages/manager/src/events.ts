// The events of a shard manager and what each carries.

import type { ShardctlError } from '@shardctl/core';
import type { ChildState, ExitReport } from '@shardctl/supervisor';
import type { RestartProgress } from './rolling-restart.js';

/** Which worker an event is about. */
export interface WorkerRef {
	workerId: number;
	shardIds: readonly number[];
}

export interface ShardManagerEvents {
	/** A worker's process was forked. */
	'worker:spawned': [WorkerRef & { pid: number; epoch: number }];
	/** Every shard of a worker is ready. */
	'worker:ready': [WorkerRef & { tookMs: number }];
	/** A worker's process ended, for whatever reason. */
	'worker:exited': [WorkerRef & { report: ExitReport }];
	/** A worker changed its state. */
	'worker:state': [WorkerRef & { from: ChildState; to: ChildState }];
	/** The restart policy gave a worker up; it is tried again after a cool-down. */
	'worker:failed': [WorkerRef & { reason: string }];
	/** A worker's main thread does not answer. */
	'worker:unresponsive': [WorkerRef];
	/** A worker is near its memory limit (a warning), or `over` it: then it is replaced. */
	'worker:memory': [WorkerRef & { pid: number; rssBytes: number; limitBytes: number; over: boolean }];
	/** A worker wrote a line. */
	'worker:log': [WorkerRef & { stream: 'stdout' | 'stderr'; line: string }];
	'shard:ready': [{ shardId: number; workerId: number }];
	'shard:reconnecting': [{ shardId: number; workerId: number }];
	'shard:resumed': [{ shardId: number; workerId: number }];
	'shard:disconnected': [{ shardId: number; workerId: number; closeCode: number | undefined }];
	/** The session budget of the day defers a restart. */
	'identify:deferred': [WorkerRef & { remaining: number; resetAt: number }];
	/** A step of {@link ShardManager.respawnAll}. */
	'restart:progress': [RestartProgress];
	/** Every shard is ready for the first time. */
	'fleet:ready': [{ shards: number; workers: number; tookMs: number }];
	/** Discord refused for good, and no worker is left. */
	'fleet:refused': [{ error: ShardctlError }];
	/** The bot sent a message of its own: `process.send` or `client.shard.send`. */
	message: [WorkerRef & { message: unknown }];
}
