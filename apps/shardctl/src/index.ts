// The public door: what `import … from 'shardctl'` gives.
export {
	type CallResult,
	type ControlClient,
	type ControlClientOptions,
	type ControlTarget,
	createControlClient,
	type FleetEvent,
	type Followed,
	type FollowOptions,
	type LogEntry,
} from '@shardctl/control';
export { type ErrorCode, ShardctlError } from '@shardctl/core';
export {
	type BroadcastEvalOptions,
	type CallOptions,
	createShardManager,
	type FleetHealth,
	type HealthCause,
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
	type WorkerStats,
} from '@shardctl/manager';
export type { ShardctlConfig } from './start/config-type.js';
