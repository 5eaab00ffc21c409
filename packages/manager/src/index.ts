export type { ControlOptions } from '@shardctl/control/server';
export type {
	BroadcastEvalOptions,
	CallOptions,
	FleetHealth,
	HealthCause,
	IdentifyBudgetState,
	IdentifyWait,
	LastExit,
	ManagerStats,
	ManagerStatus,
	Serialized,
	ShardStats,
	ShardStatus,
	WorkerOutcome,
	WorkerStats,
} from '@shardctl/core';
export { createShardManager } from './create-shard-manager.js';
export type { ShardManagerEvents } from './events.js';
export { onFleetEvent } from './fleet-events.js';
export { pythonFolder } from './foreign/python-folder.js';
export { fetchGatewayInfo } from './identify/discord-api.js';
export { absoluteBotFile } from './options/bot-file.js';
export { bundleWithDiscordJs } from './options/bundled-library.js';
export { type ForeignProgram, foreignProgram, programFile } from './options/foreign-program.js';
export { type ResolvedManagerOptions, resolveManagerOptions } from './options/manager-options.js';
export type { ShardManagerOptions } from './options/shard-manager-options.js';
export { typeScriptLoader } from './options/typescript-loader.js';
export { resolveCounts } from './plan/counts.js';
export type { ShardManager } from './shard-manager.js';
export { threadAdvice } from './threads/thread-advice.js';
export { fileExtensionAdvice } from './workers/file-extension.js';
