// The events of a shard manager and what each carries.

import type { GatewayNotice, ShardctlError } from '@shardctl/core';
import type { ChildState, ExitReport } from '@shardctl/supervisor';
import type { RestartProgress } from './workers/rolling-restart.js';

/** Which worker an event is about. */
export interface WorkerRef {
	workerId: number;
	shardIds: readonly number[];
}

/** Which gateway process an event is about. */
export interface GatewayRef {
	gatewayId: number;
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
	/** Resident mode: a gateway process was forked. */
	'gateway:spawned': [GatewayRef & { pid: number }];
	/** Resident mode: a gateway process ended, for whatever reason. Its sessions with Discord live on for the next one. */
	'gateway:exited': [GatewayRef & { message: string }];
	/** Resident mode: something happened to a shard in its gateway process, or to all shards of a session with Discord. */
	'gateway:notice': [{ gatewayId: number; shardIds: readonly number[]; kind: GatewayNotice['kind']; message: string }];
	/** Resident mode: a worker was replaced without a gap. */
	'worker:deployed': [WorkerRef & { tookMs: number }];
	/** Resident mode: the new process of a worker failed, and the old one carries on. */
	'worker:rolled-back': [WorkerRef & { reason: string }];
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
