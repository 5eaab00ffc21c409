// The events of a shard manager and what each carries.

import type { SharedFleetEvents, WorkerRef } from '@shardctl/control';
import type { ShardctlError } from '@shardctl/core';
import type { ChildState, ExitReport } from '@shardctl/supervisor';

/** Those that leave the manager as they are: the control API, the command line and metrics know them. */
type SharedEvents = { [K in keyof SharedFleetEvents]: [payload: SharedFleetEvents[K]] };

export interface ShardManagerEvents extends SharedEvents {
	/** A worker's process ended, for whatever reason. */
	'worker:exited': [WorkerRef & { report: ExitReport }];
	/** A worker changed its state. */
	'worker:state': [WorkerRef & { from: ChildState; to: ChildState }];
	/** A worker wrote a line. */
	'worker:log': [WorkerRef & { pid: number | null; stream: 'stdout' | 'stderr'; line: string }];
	/** Discord refused for good, and no worker is left. */
	'fleet:refused': [{ error: ShardctlError }];
	/** The bot sent a message of its own: `process.send` or `client.shard.send`. */
	message: [WorkerRef & { message: unknown }];
}

export type EmitFleetEvent = <E extends keyof ShardManagerEvents>(event: E, ...args: ShardManagerEvents[E]) => void;
