// The shapes of the input and output of the control API, declared once: requests are validated by them, and the OpenAPI description and
// the client's types are made from them.

import {
	type DeadEvent,
	describeValue,
	eventLossReasons,
	type FleetHealth,
	type FleetLosses,
	type HealthCause,
	type HealthCauseKind,
	type HostFacts,
	type ManagerStats,
	type QueueStats,
	type QueueWorkerFigures,
	type ShardStats,
	type WorkerStats,
} from '@shardctl/core';
import { gatewaySessionStats, gatewayShardStats, restFigures } from '@shardctl/core/schemas';
import { z } from 'zod';
import type { LogEntry } from '../fleet/fleet.js';
import type { FleetEvent, FleetEventType } from '../fleet/fleet-events.js';

/** Values in a query are strings, so numbers and flags are read from strings too. */
export const wholeNumber = (min: number, what = `a whole number from ${min}`) =>
	z.coerce
		.number({ error: (issue) => `must be ${what}, got ${describeValue(issue.input)}` })
		.refine((value) => Number.isSafeInteger(value) && value >= min, {
			error: (issue) => `must be ${what}, got ${describeValue(issue.input)}`,
		})
		.meta({ type: 'integer', minimum: min });
export const flag = z.union([z.boolean(), z.stringbool()], { error: 'must be true or false' }).meta({ type: 'boolean' });
export const shardId = wholeNumber(0, 'a shard id');
export const snowflake = z
	.string({ error: 'must be a Discord id as a string' })
	.regex(/^\d{1,20}$/, { error: (issue) => `must be a Discord id, got ${describeValue(issue.input)}` });
export const text = (what: string) => z.string({ error: `must be ${what}` }).min(1, { error: `must be ${what}` });

export const managerStatus = z.enum(['idle', 'starting', 'running', 'degraded', 'stopping', 'stopped']);

const lastExit = z.object({ reason: z.string(), message: z.string(), at: z.number() });

export const shardStats = z.object({
	shardId: z.int(),
	workerId: z.int().nullable(),
	pid: z.int().nullable(),
	status: z.enum([
		'planned',
		'booting',
		'waiting',
		'identifying',
		'ready',
		'reconnecting',
		'disconnected',
		'unresponsive',
		'stopping',
		'restarting',
		'failed',
		'stopped',
	]),
	since: z.number().nullable(),
	ready: z.boolean(),
	guildCount: z.int(),
	userCount: z.int(),
	ping: z.number().nullable(),
	memoryMb: z.number().nullable(),
	cpuPercent: z.number().nullable(),
	loopDelayMs: z.number().nullable(),
	uptimeMs: z.number(),
	restarts: z.int(),
	lastExit: lastExit.nullable(),
	closeCode: z.int().nullable(),
	waitsForBudget: z.boolean().optional(),
	node: z.string().optional(),
}) satisfies z.ZodType<ShardStats>;

const queueWorkerFigures = z.object({
	group: z.string(),
	partitions: z.int(),
	inHand: z.int(),
	handled: z.int(),
	redelivered: z.int(),
	expired: z.int(),
	missed: z.int(),
	dead: z.int(),
}) satisfies z.ZodType<QueueWorkerFigures>;

const workerStats = z.object({
	id: z.int(),
	shardIds: z.array(z.int()).readonly(),
	state: z.string(),
	since: z.number(),
	tries: z.int(),
	failingSince: z.number().nullable().optional(),
	nextTryAt: z.number().nullable(),
	lastAnswerAt: z.number().nullable(),
	heartbeat: z.object({ intervalMs: z.number(), timeoutMs: z.number() }),
	pid: z.int().nullable(),
	restarts: z.int(),
	lastExit: lastExit.nullable(),
	rssBytes: z.number().nullable(),
	memoryLimitBytes: z.number().nullable(),
	queue: queueWorkerFigures.optional(),
	node: z.string().optional(),
}) satisfies z.ZodType<WorkerStats>;

const causeKinds = {
	stopped: true,
	starting: true,
	'node-gone': true,
	'node-muted': true,
	'node-silent': true,
	'shard-unplaced': true,
	'redis-unreachable': true,
	'discord-refused': true,
	'budget-exhausted': true,
	'gateway-process-down': true,
	'session-down': true,
	'worker-failed': true,
	'worker-down': true,
	'worker-unresponsive': true,
	'shard-not-ready': true,
	'rest-process-down': true,
	'queue-unread': true,
	'queue-unreachable': true,
	'queue-unwritten': true,
	'invalid-requests-high': true,
	'snapshots-failing': true,
	'disk-full': true,
	'open-files-low': true,
	'memory-low': true,
} satisfies Record<HealthCauseKind, true>;

export const healthCauseKinds = Object.keys(causeKinds) as [HealthCauseKind, ...HealthCauseKind[]];

export const healthStatus = z.enum(['healthy', 'degraded', 'down']) satisfies z.ZodType<FleetHealth['status']>;

const healthCause = z.object({
	kind: z.enum(healthCauseKinds),
	effect: z.enum(['outage', 'risk', 'progress']),
	shardIds: z.array(z.int()),
	message: z.string(),
	since: z.number().nullable(),
	tries: z.int(),
	nextTryAt: z.number().nullable(),
	lost: z.int(),
	remedy: z.string().nullable(),
}) satisfies z.ZodType<HealthCause>;

export const fleetHealth = z.object({
	status: healthStatus,
	served: z.int(),
	shards: z.int(),
	causes: z.array(healthCause),
}) satisfies z.ZodType<FleetHealth>;

export const fleetLosses = z.object({
	since: z.number(),
	events: z.int(),
	byReason: z.record(z.enum(eventLossReasons), z.int()),
	sessions: z.int(),
	last: z
		.object({
			at: z.number(),
			reason: z.enum([...eventLossReasons, 'session-replaced']),
			shardIds: z.array(z.int()),
			events: z.int().nullable(),
		})
		.nullable(),
}) satisfies z.ZodType<FleetLosses>;

const gatewayProcessStats = z.object({
	id: z.int(),
	pid: z.int().nullable(),
	status: z.string(),
	shardIds: z.array(z.int()).readonly(),
	startedAt: z.number().nullable(),
	uptimeMs: z.number(),
	restarts: z.int(),
	since: z.number(),
	tries: z.int(),
	failingSince: z.number().nullable().optional(),
	nextTryAt: z.number().nullable(),
	lastExit: lastExit.nullable(),
	lastAnswerAt: z.number().nullable(),
	snapshotFailure: z.object({ shardIds: z.array(z.int()), since: z.number(), error: z.string(), folder: z.string() }).nullable(),
	rssBytes: z.number().nullable(),
	cpuSeconds: z.number().nullable(),
	sessions: z.array(gatewaySessionStats),
	shards: z.array(gatewayShardStats),
	node: z.string().optional(),
});

const restStats = restFigures.extend({
	pid: z.int().nullable(),
	status: z.string(),
	restarts: z.int(),
	since: z.number(),
	tries: z.int(),
	failingSince: z.number().nullable(),
	nextTryAt: z.number().nullable(),
	lastAnswerAt: z.number().nullable(),
	lastExit: lastExit.nullable(),
	rssBytes: z.number().nullable(),
	cpuSeconds: z.number().nullable(),
});

const deployStats = z.object({
	id: z.int(),
	state: z.enum(['queued', 'replacing', 'baking', 'finishing', 'rolling-back', 'deployed', 'failed', 'called-off']),
	stage: z.string(),
	workerId: z.int().nullable(),
	shardIds: z.array(z.int()),
	stageMs: z.number(),
	startedAt: z.number(),
	tookMs: z.number(),
	done: z.int(),
	total: z.int(),
	error: z.string().nullable(),
	queued: z.int(),
}) satisfies z.ZodType<ManagerStats['deploy']>;

const reshardStats = z.object({
	state: z.enum(['running', 'done', 'failed']),
	from: z.int(),
	to: z.int(),
	shards: z.object({ from: z.int(), to: z.int() }).optional(),
	done: z.int(),
	total: z.int(),
	identifies: z.int(),
	longestPauseMs: z.number(),
	startedAt: z.number(),
	tookMs: z.number(),
	leftMs: z.number(),
	error: z.string().nullable(),
	waitsFor: z.array(z.string()).optional(),
}) satisfies z.ZodType<ManagerStats['reshard']>;

export const queueStats = z.object({
	connected: z.boolean(),
	shards: z.int(),
	partitionsPerShard: z.int(),
	written: z.int(),
	writtenPerSecond: z.number(),
	deferred: z.int(),
	deferFailed: z.int(),
	unwritten: z.object({ shardIds: z.array(z.int()), since: z.number(), error: z.string(), waiting: z.int() }).optional(),
	groups: z.array(
		z.object({
			group: z.string(),
			events: z.array(z.string()),
			members: z.int(),
			partitions: z.int(),
			lag: z.int(),
			pending: z.int(),
			oldestAgeMs: z.int(),
			handledPerSecond: z.number(),
			redelivered: z.int(),
			expired: z.int(),
			missed: z.int(),
			dead: z.int(),
			behind: z.array(
				z.object({ partition: z.int(), lag: z.int(), pending: z.int(), oldestAgeMs: z.int(), owner: z.string().nullable() }),
			),
		}),
	),
}) satisfies z.ZodType<QueueStats>;

export const deadEvent = z.object({
	id: z.string(),
	group: z.string(),
	reason: z.string(),
	type: z.string(),
	guildId: z.string().nullable(),
	key: z.string(),
	at: z.number(),
}) satisfies z.ZodType<DeadEvent>;
const sizingStats = z.object({
	sessions: z.int(),
	recommended: z.int(),
	guilds: z.int(),
	guildLimit: z.int(),
	outgrown: z.boolean(),
	advised: z.int().nullable(),
	message: z.string().nullable(),
	remedy: z.string().nullable(),
	automatic: z.boolean(),
	waitsFor: z.string().nullable(),
	nextTryAt: z.number().nullable(),
}) satisfies z.ZodType<ManagerStats['sizing']>;

const hostFacts = z.object({
	stateDir: z.object({ folder: z.string(), freeBytes: z.number(), totalBytes: z.number() }).nullable(),
	openFiles: z.object({ used: z.int(), limit: z.number() }).nullable(),
	memory: z.object({ availableBytes: z.number(), totalBytes: z.number() }).nullable(),
}) satisfies z.ZodType<HostFacts>;

export const managerStats = z.object({
	manager: z.object({
		name: z.string(),
		pid: z.int(),
		version: z.string(),
		totalShards: z.int(),
		shardIds: z.array(z.int()),
		workers: z.int(),
		startedAt: z.number(),
		uptimeMs: z.number(),
		status: managerStatus,
		identify: z.object({ total: z.int(), remaining: z.int(), resetAt: z.number(), maxConcurrency: z.int(), granted: z.int() }),
		simulator: z.object({ url: z.string() }).optional(),
	}),
	health: fleetHealth,
	losses: fleetLosses.optional(),
	shards: z.array(shardStats),
	workers: z.array(workerStats),
	host: hostFacts.optional(),
	gateways: z.array(gatewayProcessStats).optional(),
	rest: restStats.optional(),
	queue: queueStats.optional(),
	deploy: deployStats.optional(),
	reshard: reshardStats.optional(),
	sizing: sizingStats.optional(),
}) satisfies z.ZodType<ManagerStats>;

export const health = z.object({
	name: z.string(),
	pid: z.int(),
	version: z.string(),
	status: managerStatus,
	uptimeMs: z.number(),
	workers: z.int(),
	/** Number of shards that this manager runs, and number of them that are ready. */
	shards: z.int(),
	readyShards: z.int(),
	/** Whether the fleet serves its guilds, and if not, why. */
	health: fleetHealth,
	/** What was lost since the manager started. */
	losses: fleetLosses.optional(),
	/** Number of clients that follow logs, events or stats. */
	readers: z.int(),
});

export const logEntry = z.object({
	at: z.number(),
	workerId: z.int(),
	shardIds: z.array(z.int()).readonly(),
	pid: z.int().nullable(),
	stream: z.enum(['stdout', 'stderr']),
	line: z.string(),
	node: z.string().optional(),
}) satisfies z.ZodType<LogEntry>;

const eventTypes = {
	'worker:spawned': true,
	'worker:ready': true,
	'worker:failed': true,
	'worker:unresponsive': true,
	'worker:responsive': true,
	'worker:memory': true,
	'worker:exited': true,
	'shard:ready': true,
	'shard:reconnecting': true,
	'shard:resumed': true,
	'shard:disconnected': true,
	'gateway:spawned': true,
	'gateway:exited': true,
	'gateway:notice': true,
	'cluster:joined': true,
	'cluster:left': true,
	'cluster:muted': true,
	'cluster:confirmed': true,
	'cluster:node-gone': true,
	'cluster:discord': true,
	'cluster:session-ready': true,
	'cluster:session-gone': true,
	'rest:spawned': true,
	'rest:exited': true,
	'rest:notice': true,
	'worker:deployed': true,
	'worker:rolled-back': true,
	'worker:stop-first': true,
	'deploy:progress': true,
	'reshard:progress': true,
	'fleet:sizing': true,
	'identify:deferred': true,
	'identify:expired': true,
	'restart:progress': true,
	'fleet:ready': true,
	'fleet:health': true,
	'fleet:stopped': true,
	'fleet:refused': true,
} satisfies Record<FleetEventType, true>;

export const fleetEventTypes = Object.keys(eventTypes) as [FleetEventType, ...FleetEventType[]];

/** Each type has its own fields; see {@link FleetEvent}. */
export const fleetEvent = z.looseObject({
	seq: z.int(),
	at: z.number(),
	type: z.enum(fleetEventTypes),
	node: z.string().optional(),
}) as unknown as z.ZodType<FleetEvent>;

/** An error in a response. It keeps its code, so that a script can decide by it. */
export const errorBody = z.object({
	code: z.string(),
	message: z.string(),
	name: z.string().optional(),
	details: z.record(z.string(), z.unknown()).optional(),
});

const workerRef = { workerId: z.int(), shardIds: z.array(z.int()).readonly(), node: z.string().optional() };

/** The outcome of a call in one worker. `value` is plain JSON; `shown` is the value as Node prints it, which keeps what JSON loses. */
export const callOutcome = z.discriminatedUnion('status', [
	z.object({ ...workerRef, status: z.literal('fulfilled'), value: z.unknown(), shown: z.string() }),
	z.object({ ...workerRef, status: z.literal('rejected'), error: errorBody }),
]);

/** Where a call goes; every worker when neither is given. */
export const callTarget = {
	shard: shardId.optional(),
	guildId: snowflake.optional(),
	timeoutMs: wholeNumber(1, 'a number of milliseconds').optional(),
};

/** Which part of a cluster a request is about; all nodes together when neither is given. A fleet on one machine is a node of its own. */
export const scope = {
	local: flag.optional().describe('only the node that responds'),
	node: text('the name of a node').optional().describe('only this node of the cluster'),
};
