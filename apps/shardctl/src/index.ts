// The public door: what `import … from 'shardctl'` gives.
export { type ErrorCode, ShardctlError } from '@shardctl/core';
export {
	type BroadcastEvalOptions,
	type CallOptions,
	type CallResult,
	type ControlClient,
	type ControlClientOptions,
	type ControlTarget,
	createControlClient,
	createShardManager,
	type FleetEvent,
	type Followed,
	type FollowOptions,
	type IdentifyBudgetState,
	type LastExit,
	type LogEntry,
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
export type { ShardctlConfig } from './config/config-type.js';
