export type {
	BroadcastEvalOptions,
	CallOptions,
	LastExit,
	Serialized,
	ShardStats,
	ShardStatus,
	WorkerOutcome,
} from '@shardctl/core';
export { absoluteBotFile } from './bot-file.js';
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
export { fetchGatewayInfo } from './discord-api.js';
export type { ShardManagerEvents, WorkerRef } from './events.js';
export { resolveCounts } from './gateways/session-count.js';
export type { IdentifyBudgetState } from './identify/budget.js';
export type { IdentifyCoordinator, IdentifySlot, IdentifyWait } from './identify/coordinator.js';
export { defaultManagerName } from './manager-name.js';
export type { ShardManagerOptions } from './options.js';
export type { ShardManager } from './shard-manager.js';
export type { ManagerStats, ManagerStatus } from './shard-stats.js';
