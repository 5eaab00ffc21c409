export type {
	BroadcastEvalOptions,
	CallOptions,
	LastExit,
	Serialized,
	ShardStats,
	ShardStatus,
	WorkerOutcome,
} from '@shardctl/core';
export { controlRequest } from './control/client.js';
export { createShardManager } from './create-shard-manager.js';
export type { ShardManagerEvents, WorkerRef } from './events.js';
export type { IdentifyBudgetState } from './identify/budget.js';
export type { IdentifyCoordinator, IdentifySlot, IdentifyWait } from './identify/coordinator.js';
export { defaultManagerName } from './manager-name.js';
export type { ShardManagerOptions } from './options.js';
export type { ShardManager } from './shard-manager.js';
export type { ManagerStats, ManagerStatus } from './shard-stats.js';
