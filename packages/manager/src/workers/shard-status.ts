// What a shard is doing right now, derived from its worker's state and its connection. Pure.
import type { ShardStatus } from '@shardctl/core';
import type { ChildState } from '@shardctl/supervisor';

/** The state of a shard's connection, as its worker last reported it. */
export type ShardConnection = 'none' | 'waiting' | 'identifying' | 'ready' | 'reconnecting' | 'disconnected';

/**
 * The status of a shard: the worker's where there is no living process to have a connection, the connection's else.
 */
export function shardStatus(worker: ChildState, connection: ShardConnection): ShardStatus {
	switch (worker) {
		case 'planned':
			return 'planned';
		case 'spawning':
			// The connection that is known is that of the process before.
			return 'booting';
		case 'starting':
		case 'ready':
			return connection === 'none' ? 'booting' : connection;
		case 'unresponsive':
			return 'unresponsive';
		case 'draining':
			return 'stopping';
		case 'exited':
		case 'backing-off':
			return 'restarting';
		case 'failed':
			return 'failed';
		case 'stopped':
			return 'stopped';
	}
}
