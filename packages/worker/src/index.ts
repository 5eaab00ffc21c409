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
} from './api.js';
export type { BroadcastEvalOptions, CallOptions } from './calls.js';
export type { ClientAdapter, ShardReporter } from './client-adapter.js';
export type { Handler, ShutdownHandler } from './runtime.js';
