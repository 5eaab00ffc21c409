export type {
	BroadcastEvalOptions,
	CallOptions,
	LastExit,
	Serialized,
	ShardStats,
	ShardStatus,
	WorkerOutcome,
} from '@shardctl/core';
export {
	type CallResult,
	type ControlClient,
	type ControlClientOptions,
	type ControlTarget,
	createControlClient,
	type Followed,
	type FollowOptions,
} from './control/client.js';
export { type FleetEvent, type FleetEventType, onFleetEvent } from './control/fleet-events.js';
export type { LogEntry } from './control/fleet-feed.js';
export type { ControlOptions } from './control/server.js';
export { createShardManager } from './create-shard-manager.js';
export type { ShardManagerEvents, WorkerRef } from './events.js';
export type { IdentifyBudgetState } from './identify/budget.js';
export type { IdentifyCoordinator, IdentifySlot, IdentifyWait } from './identify/coordinator.js';
export { fetchGatewayInfo } from './identify/discord-api.js';
export { absoluteBotFile } from './options/bot-file.js';
export { defaultManagerName } from './options/manager-name.js';
export type { ShardManagerOptions } from './options/manager-options.js';
export { resolveCounts } from './plan/counts.js';
export type { ShardManager } from './shard-manager.js';
export type { ManagerStats, ManagerStatus } from './workers/shard-stats.js';
