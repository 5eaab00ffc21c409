export type {
	BroadcastEvalOptions,
	CallOptions,
	RespawnAllOptions,
	Serialized,
	ShardReport,
	ShardSample,
	ShardStats,
	WorkerOutcome,
} from '@shardctl/core';
export {
	attach,
	broadcastEval,
	call,
	fetchClientValues,
	getShardInfo,
	getShardStats,
	handle,
	onShutdown,
	respawnAll,
	respawnShard,
	type ShardInfo,
	waitForIdentify,
} from './api.js';
export type { ClientAdapter, ShardReporter, WorkerAccess } from './client-adapter.js';
export type { ShardClientExtras } from './discordjs/shard-client.js';
export type { Handler } from './runtime.js';
export type { ShutdownHandler } from './shutdown.js';
