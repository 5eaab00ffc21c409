// What a manager accepts from the processes that it started: a schema for everything in the contracts with workers and with gateway
// processes that such a process may send. A bot shares a process with its worker's side, and may carry another version of it, so the
// types of the contract say what a message should be, and these what it is. An entry point of its own: only managers load it, and zod.
import { z } from 'zod';
import {
	type GatewayEvents,
	type GatewayManagerMethods,
	type GatewayMethods,
	type GatewaySessionStats,
	type GatewayShardCounters,
	type GatewayShardStats,
	type GatewayStats,
	gatewayNoticeKinds,
	gatewayShardCounters,
	type SessionTerms,
	workerConnectionStatuses,
} from './gateway.js';
import { eventLossReasons } from './losses.js';
import type { RestEvents, RestFigures, RestManagerMethods, RestMethods, RestNotice } from './rest.js';
import type { WorkerSample } from './stats.js';
import type { BotProblem, ManagerMethods, ShardReport, WorkerEvents, WorkerMethods } from './worker.js';

/** A schema per name of a contract, none left out. */
type SchemasOf<T> = { [K in keyof T]: Reader<T[K]> };
type ParamsOf<Methods extends { [M in keyof Methods]: { params: unknown } }> = { [M in keyof Methods]: Methods[M]['params'] };
type ResultsOf<Methods extends { [M in keyof Methods]: { result: unknown } }> = { [M in keyof Methods]: Methods[M]['result'] };

/** A zod schema, or as little of one as a peer needs. */
interface Reader<T> {
	safeParse(value: unknown): { success: true; data: T } | { success: false; error: { message: string } };
}

/** What people get to read: a longer text is cut, because it is kept and printed. */
const text = (longest: number) =>
	z.string().transform((given) => (given.length > longest ? `${given.slice(0, longest)}…` : given));
const id = z.int().nonnegative();
const shardIds = z.array(id).max(100_000);
/** A figure that the bot's library computed: what cannot be counted is 0. */
const figure = z
	.custom<number>((value) => typeof value === 'number', { error: 'expected a number' })
	.transform((value) => (Number.isFinite(value) ? value : 0));
/** For a reply or params that mean nothing. */
const nothing = z.unknown().transform(() => null);
/** For what belongs to the bot and is only passed on. */
const anything: Reader<unknown> = { safeParse: (data) => ({ success: true, data }) };

/** A schema by hand, for what is on the path of each call: it costs a few comparisons. */
function shape<T>(expected: string, matches: (value: Readonly<Record<string, unknown>>) => boolean): Reader<T> {
	const error = { message: `expected ${expected}` };
	return {
		safeParse: (value) => (isObject(value) && matches(value) ? { success: true, data: value as T } : { success: false, error }),
	};
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// The contract with workers.

const shardSamples = z
	.array(z.object({ shardId: id, guildCount: figure, userCount: figure, ping: figure.nullable() }))
	.max(100_000);

const workerSample = z.object({
	shards: shardSamples,
	rssBytes: z.number().nonnegative(),
	heapUsedBytes: z.number().nonnegative().nullable(),
	cpuPercent: figure,
	cpuSeconds: z.number().nonnegative(),
	loopDelayP99Ms: figure.nullable(),
	uptimeMs: z.number().nonnegative(),
	queue: z
		.object({
			group: text(200),
			partitions: figure,
			inHand: figure,
			handled: figure,
			redelivered: figure,
			expired: figure,
			missed: figure,
			dead: figure,
		})
		.optional(),
}) satisfies z.ZodType<WorkerSample>;

const shardReport = z.object({
	shardId: id,
	status: z.enum(['ready', 'reconnecting', 'resumed', 'disconnected']),
	closeCode: z.int().optional(),
});

const botProblem = z.object({
	code: z.enum(['NESTED_MANAGER', 'NOT_ATTACHED', 'UNSUPPORTED_LIBRARY']),
	message: text(4000),
	fatal: z.boolean(),
}) satisfies z.ZodType<BotProblem>;

const slot = z.object({ slotId: id });

const workerEvents = {
	attached: z.object({ library: text(200) }),
	problem: botProblem,
	'identify.sent': slot,
	'identify.confirmed': slot,
	'identify.released': slot,
	'shard.status': shardReport as unknown as Reader<ShardReport>,
	'queue.status': z.object({ status: z.enum(['connected', 'waiting', 'joined', 'closed']) }),
	sample: workerSample,
} satisfies SchemasOf<WorkerEvents>;

/** The options of a call are read where the call is made, by the same functions as those of a manager's own calls. */
const managerParams = {
	'identify.acquire': z.object({ shardId: id }),
	broadcastEval: shape<ManagerMethods['broadcastEval']['params']>(
		'{ kind, source, context, options }',
		({ kind, source, options }) => (kind === 'function' || kind === 'text') && typeof source === 'string' && isObject(options),
	),
	fetchClientValues: shape<ManagerMethods['fetchClientValues']['params']>(
		'{ path, options }',
		({ path, options }) => typeof path === 'string' && isObject(options),
	),
	call: shape<ManagerMethods['call']['params']>(
		'{ name, args, options }',
		({ name, args, options }) => typeof name === 'string' && Array.isArray(args) && isObject(options),
	),
	respawnShard: z.object({ shardId: id }),
	respawnAll: shape<ManagerMethods['respawnAll']['params']>('an object of options', () => true),
	getShardStats: shape<ManagerMethods['getShardStats']['params']>('an object of options', () => true),
} satisfies SchemasOf<ParamsOf<ManagerMethods>>;

const workerResults = {
	ping: nothing,
	'inspector.close': nothing,
	eval: anything,
	fetchClientValue: anything,
	call: anything,
	sample: workerSample,
	shutdown: nothing,
} satisfies SchemasOf<ResultsOf<WorkerMethods>>;

/** What a manager accepts from a worker. */
export const workerSchemas = { params: managerParams, results: workerResults, events: workerEvents };

// The contract with gateway processes.

export const gatewaySessionStats = z.object({
	id: z.int(),
	of: z.int(),
	shardIds: z.array(z.int()),
	status: z.enum(['idle', 'connecting', 'resuming', 'ready', 'refused']),
	since: z.number().nullable(),
	tries: z.int(),
	nextTryAt: z.number().nullable(),
	lastClose: z.object({ code: z.int().nullable(), reason: text(500), at: z.number() }).nullable(),
	intents: z.int().nullable(),
	waitsForBudget: z.boolean(),
	lastEventAt: z.number().nullable(),
	ping: z.number().nullable(),
	identifies: z.int(),
	resumes: z.int(),
	sessionsLost: z.int(),
	requestsWaiting: z.int(),
	requestsDropped: z.int(),
}) satisfies z.ZodType<GatewaySessionStats>;

const counters = Object.fromEntries(gatewayShardCounters.map((name) => [name, z.int()])) as Record<
	keyof GatewayShardCounters,
	z.ZodInt
>;

export const gatewayShardStats = z.object({
	shardId: z.int(),
	session: z.int(),
	worker: z.enum(['none', 'connected', 'away', 'paused']),
	guildCount: z.int(),
	stateBytes: z.number(),
	bufferedEvents: z.int(),
	bufferedBytes: z.number(),
	bufferAgeMs: z.number(),
	lagMs: z.number(),
	eventsPerSecond: z.number(),
	...counters,
	snapshotBytes: z.int().nullable(),
	snapshotAgeMs: z.number().nullable(),
	snapshotFailure: z.object({ since: z.number(), error: text(1000) }).nullable(),
	queueFailure: z
		.object({ since: z.number(), error: text(1000) })
		.nullable()
		.optional(),
}) satisfies z.ZodType<GatewayShardStats>;

const gatewayStats = z.object({
	rssBytes: z.number().nullable(),
	cpuSeconds: z.number().nullable(),
	sessions: z.array(gatewaySessionStats),
	shards: z.array(gatewayShardStats),
}) satisfies z.ZodType<GatewayStats>;

const sessionTerms = z.object({
	intents: z.int().nonnegative(),
	largeThreshold: z.int().nullable(),
	presence: z.record(z.string(), z.unknown()).nullable(),
}) satisfies z.ZodType<SessionTerms>;

const gatewayEvents = {
	listening: z.object({ port: z.int().min(0).max(65_535) }),
	'connection.taken': z.object({ id }),
	'session.started': z.object({ session: id, terms: sessionTerms }),
	'worker.connection': z.object({
		incarnation: id,
		shardId: id,
		status: z.enum(workerConnectionStatuses),
		closeCode: z.int().optional(),
	}),
	'session.refused': z.object({ session: id, code: z.int() }),
	'events.lost': z.object({ shardId: id, lost: z.partialRecord(z.enum(eventLossReasons), id) }),
	notice: z.object({
		shardIds,
		kind: z.enum(gatewayNoticeKinds),
		message: text(4000),
	}),
	'identify.sent': slot,
	'identify.confirmed': slot,
	'identify.released': slot,
} satisfies SchemasOf<GatewayEvents>;

const gatewayManagerParams = {
	'identify.acquire': z.object({ session: id, successor: z.boolean().optional() }),
} satisfies SchemasOf<ParamsOf<GatewayManagerMethods>>;

const drained = z.object({ drained: z.boolean() });
const gatewayResults = {
	ping: nothing,
	'inspector.close': nothing,
	stats: gatewayStats,
	'worker.expect': nothing,
	'worker.drain': drained,
	'worker.ready': nothing,
	'worker.ping': nothing,
	'worker.figures': z.object({ shards: shardSamples }),
	'shard.prepare': z.object({ answerable: z.boolean() }),
	'handover.begin': nothing,
	'handover.waiting': nothing,
	'handover.pause': drained,
	'handover.present': nothing,
	'handover.released': nothing,
	'handover.commit': nothing,
	'handover.abort': nothing,
	'session.reshard': z.object({ identifies: id, pausedMs: z.number().min(0), repeated: id, drifted: id.optional() }),
	'shards.begin': z.object({ guilds: id }),
	'shards.cut': nothing,
	'shards.seal': nothing,
	'shards.released': nothing,
	'shards.commit': z.object({ pausedMs: z.number().min(0), held: id }),
	'shards.drop': z.object({ reason: z.string().nullable() }),
	'session.lease': nothing,
	shutdown: nothing,
} satisfies SchemasOf<ResultsOf<GatewayMethods>>;

/** What a manager accepts from a gateway process. */
export const gatewaySchemas = { params: gatewayManagerParams, results: gatewayResults, events: gatewayEvents };

// The contract with the REST process.

export const restFigures = z.object({
	requests: z.int(),
	queued: z.int(),
	limited: z.int(),
	invalid: z.int(),
	guarded: z.boolean(),
	globalPerSecond: z.int(),
	p50Ms: z.number().nullable(),
	p99Ms: z.number().nullable(),
	classes: z.record(z.string(), z.int()),
	bufferedBytes: z.number(),
	rssBytes: z.number(),
	cpuSeconds: z.number(),
}) satisfies z.ZodType<RestFigures>;

const restNoticeKinds = {
	'invalid-requests:high': true,
	'invalid-requests:normal': true,
	'global-limit': true,
	'caller:refused': true,
} satisfies Record<RestNotice['kind'], true>;

const restEvents = {
	listening: z.object({ port: z.int().min(0).max(65_535) }),
	'connection.taken': z.object({ id }),
	notice: z.object({
		kind: z.enum(Object.keys(restNoticeKinds) as [RestNotice['kind'], ...RestNotice['kind'][]]),
		message: text(4000),
	}),
} satisfies SchemasOf<RestEvents>;

const restResults = {
	ping: nothing,
	'inspector.close': nothing,
	stats: restFigures,
	shutdown: nothing,
} satisfies SchemasOf<ResultsOf<RestMethods>>;

const restManagerParams = {
	'limit.ask': z.object({ want: z.int().min(0).max(100_000), keep: z.int().min(0).max(100_000) }),
} satisfies SchemasOf<ParamsOf<RestManagerMethods>>;

/** What a manager accepts from the REST process. */
export const restSchemas = { params: restManagerParams, results: restResults, events: restEvents };
