// The public door: what `import … from 'shardctl'` gives.
export { type ErrorCode, ShardctlError } from '@shardctl/core';
export {
	type BroadcastEvalOptions,
	type CallOptions,
	createShardManager,
	type IdentifyBudgetState,
	type LastExit,
	type ManagerStats,
	type ManagerStatus,
	type Serialized,
	type ShardManager,
	type ShardManagerEvents,
	type ShardManagerOptions,
	type ShardStats,
	type ShardStatus,
	type WorkerOutcome,
} from '@shardctl/manager';
