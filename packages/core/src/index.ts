export { aborted, orAborted } from './abort.js';
export { age } from './age.js';
export { botKey } from './bot-key.js';
export {
	readCallOptions,
	readEvalOptions,
	readGuildId,
	readRespawnAllOptions,
	readShardId,
	readShardStatsOptions,
	shardNotOwned,
} from './call-options.js';
export { type Clock, every, sleep, systemClock, type Timer } from './clock.js';
export {
	type CloseCode,
	clientCloseEndsSession,
	closeCodeMeaning,
	describeFatalClose,
	describeRefusal,
	fatalClose,
	fatalCloseCodes,
} from './close-codes.js';
/** @public Named by the declarations of the worker's client. */
export type {
	BotScript,
	BroadcastEvalOptions,
	CallHandler,
	CallName,
	CallOptions,
	CallResult,
	CallTargetOf,
	FleetCalls,
	ValueAt,
	WorkerOutcome,
} from './contract/calls.js';
export type { NodeInfo, NodeStatus } from './contract/cluster.js';
export {
	type DashboardCluster,
	type DashboardEvent,
	type DashboardHello,
	type History,
	type HistoryField,
	type HistoryPoint,
	type HistoryRange,
	historyFields,
	type WorkerHistory,
	type WorkerHistoryField,
	workerHistoryFields,
} from './contract/dashboard.js';
export type {
	DeployOutcome,
	DeployStats,
	IdentifyBudgetState,
	ManagerStats,
	ManagerStatus,
	ReshardedShards,
	ReshardOutcome,
	ReshardRequest,
	ReshardStats,
	SizingStats,
} from './contract/fleet.js';
export {
	type BufferLimits,
	type ClusterRedis,
	type Delivery,
	type GatewayClusterConfig,
	type GatewayConfig,
	type GatewayEvents,
	type GatewayManagerMethods,
	type GatewayMethods,
	type GatewayNotice,
	type GatewayProcessStats,
	type GatewayQueueConfig,
	type GatewaySessionStats,
	type GatewayShardCounters,
	type GatewayShardStats,
	type GatewayStats,
	gatewayConfigVariable,
	gatewayNoticeKinds,
	gatewayShardCounters,
	type PassedConnection,
	type PassedGatewayConfig,
	type ReshardedGroup,
	type ReshardGroup,
	type SessionLease,
	type SessionTerms,
	type ShardsToBegin,
	type SpareGatewayConfig,
	type UpstreamCompression,
	type WorkerConnection,
	type WorkerIncarnation,
} from './contract/gateway.js';
export type { FleetHealth, HealthCause, HealthCauseKind, HostFacts } from './contract/health.js';
export {
	arrivalMarginMs,
	type BudgetAnswer,
	type BudgetRefusal,
	type IdentifyCoordinator,
	type IdentifyCoordinatorOptions,
	type IdentifyGrant,
	type IdentifyRequest,
	type IdentifySlot,
	type IdentifyWait,
	identifyWindowMs,
	type SessionStartLimit,
} from './contract/identify-coordinator.js';
export type { LogEntry } from './contract/log.js';
export { type EventLossReason, eventLossReasons, type FleetLosses, type Loss, type LostEvents } from './contract/losses.js';
export {
	type DeadEvent,
	type QueueConnection,
	type QueueConnectionStatus,
	type QueueGroupStats,
	type QueueNews,
	type QueuePartitionStats,
	type QueueStats,
	type QueueWorkerFigures,
	queueChannel,
} from './contract/queue.js';
export {
	type LimitPart,
	type LimitWish,
	type RestConfig,
	type RestEvents,
	type RestFigures,
	type RestManagerMethods,
	type RestMethods,
	type RestNotice,
	type RestStats,
	restConfigVariable,
} from './contract/rest.js';
export type { SnapshotStore } from './contract/snapshot-store.js';
export type {
	ExitReason,
	LastExit,
	ShardSample,
	ShardStats,
	ShardStatus,
	WorkerFacts,
	WorkerSample,
	WorkerStats,
} from './contract/stats.js';
export {
	type BotProblem,
	type GatewayInfo,
	type ManagerEvents,
	type ManagerMethods,
	type RemoteCallOptions,
	type RespawnAllOptions,
	type ScriptCall,
	type ScriptKind,
	type ScriptSource,
	type ShardReport,
	type ThreadEnd,
	threadKey,
	type WorkerConfig,
	type WorkerEvents,
	type WorkerMethods,
	workerConfigVariable,
} from './contract/worker.js';
export { type Deferred, deferred } from './deferred.js';
export { describeReshard, describeReshardRest } from './describe-reshard.js';
export { describeValue } from './describe-value.js';
export { RefusalNotices } from './door/refusal-notices.js';
export { checkRequestTimeouts } from './door/request-timeouts.js';
export { UnprovenClients } from './door/unproven-clients.js';
export { describeFailure, type ErrorCode, errorCodes, messageOf, ShardctlError } from './errors.js';
export { subjectOf } from './event-subject.js';
export { compareFences, fencedError, isFence } from './fence.js';
export { guardListener } from './guard-listener.js';
export { fleetHealth } from './health/fleet-health.js';
export { describeLosses, noLosses, withLoss } from './health/losses.js';
export { queueUnwritten, unwrittenRemedy } from './health/queue-causes.js';
export { isSilent } from './health/worker-causes.js';
export { IdentifyClient, type IdentifyLink } from './identify-client.js';
export { allIntents, formatIntents, intentBits, privilegedIntentBits, privilegedIntents } from './intents.js';
export {
	type Layout,
	sessionCountOf,
	sessionOfShard,
	sessionsOfShards,
	shardsOfSession,
	withGroup,
} from './layout.js';
export { checkAddressSpace, limitRemedy } from './limit-remedy.js';
export { maxSentHeapBytes, messageWeight } from './message-weight.js';
export { nearestName } from './nearest-name.js';
export { type OptionProblem, optionProblems, optionsError, safelyParsed } from './options.js';
export { plural } from './plural.js';
export { redisUrlProblem } from './redis-url.js';
export { parseRequestTarget, type RequestTarget } from './request-target.js';
export {
	endToEndHeaders,
	maxRestBodyBytes,
	type RestFraming,
	rawQuery,
	refuseRest,
	restFraming,
	restTarget,
	restUserAgent,
	tokenCheck,
} from './rest-forwarding.js';
export { isScriptMissing, scriptMissing, scriptSource } from './script-source.js';
export type { Serialized } from './serialized.js';
export {
	describeSessions,
	describeShards,
	describeWorker,
	formatShardIds,
	isSnowflake,
	planSlices,
	shardIdForGuild,
	workerMark,
} from './shards.js';
export { WorkerPaths } from './worker-path.js';
