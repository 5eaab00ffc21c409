// The one contract between a manager and its workers: the requests each side handles, the events each side sends, and the
// config that a worker is forked with. Types only; the manager and the worker share this file and never import each other.
import type { MessagePort } from 'node:worker_threads';
import type { QueueConnectionStatus } from './queue.js';
import type { ShardStats, WorkerSample } from './stats.js';

/** Name of the environment variable that carries a worker's {@link WorkerConfig} as JSON. */
export const workerConfigVariable = 'SHARDCTL_WORKER';

/** What the manager starts a worker with. Holds no secret: the token travels as `DISCORD_TOKEN`. */
export interface WorkerConfig {
	workerId: number;
	/** Counts the incarnations of this worker; every frame carries it, so that a dead process is never mistaken for its successor. */
	epoch: number;
	/** Ascending. */
	shardIds: number[];
	totalShards: number;
	/** How many workers the fleet has. */
	workers: number;
	/** In a cluster: the name of the node that it runs on. */
	node?: string;
	/** Whether it is a thread of a process that runs several workers. */
	thread?: boolean;
	/** Absolute path of the bot file. */
	botFile: string;
	/** Base URL of Discord's REST API, without a version. */
	api: string;
	/** The manager's answer from `GET /gateway/bot`, so that no worker has to send the request. */
	gateway: GatewayInfo;
	/** How often the worker pushes a {@link WorkerSample}; 0 means never. */
	statsIntervalMs: number;
	/** How long the worker has for its shutdown before it is ended by signal. */
	shutdownGraceMs: number;
	/** Begins the line of a process that the bot file started and that logs in itself: see `BotProblems`. */
	launchMark: string;
	/**
	 * In a cluster, in direct mode: until when the process may run its shards, in ms of the clock that all processes of the machine share. The
	 * event `lease` extends it.
	 */
	leaseUntilMs?: number;
	/**
	 * In a cluster, in resident mode: where the manager is gone, another node continues the session. The process then ends without a logout,
	 * which would give up the events that it has not confirmed.
	 */
	sessionStays?: boolean;
	/**
	 * Origin of the simulator that the bot runs on, which has REST and gateway. It accepts any token: the fleet's token is the first that
	 * the bot logs in with.
	 */
	simulator?: string;
	/** It has no shards, and gets its events from the queue. */
	queue?: true;
}

/** The key of a {@link ThreadEnd} in a thread's `workerData`. */
export const threadKey = 'shardctl';

/** What a worker that is a thread is started with beside its config. */
export interface ThreadEnd {
	/** To the main thread of its process, which passes on what the manager and the worker send each other. */
	port: MessagePort;
	/** For each thread of the process its memory in bytes, as numbers of 64 bits. */
	memory: SharedArrayBuffer;
	/** The place of this thread in it. */
	slot: number;
}

/** The answer of `GET /gateway/bot`. Discord: Gateway, "Get Gateway Bot". */
export interface GatewayInfo {
	url: string;
	/** The number of shards that Discord recommends. */
	shards: number;
	session_start_limit: {
		total: number;
		remaining: number;
		/** Milliseconds. */
		reset_after: number;
		max_concurrency: number;
	};
}

/** Which workers a call goes to. At most one of the two; none means every worker of the manager. */
export interface CallTarget {
	shard?: number;
	guildId?: string;
}

/** The part of a call's options that travels between processes; the signal travels as the request's cancellation. */
export interface RemoteCallOptions extends CallTarget {
	/** Deadline of the whole call in ms (default: the manager's `callTimeoutMs`). 0 or `Infinity`: none. */
	timeoutMs?: number;
	/** Answer with every worker's outcome instead of failing when one fails. */
	settle?: boolean;
}

/** `function`: the text of `(client, context) => …`. `text`: an expression, or statements. */
export type ScriptKind = 'function' | 'text';

/** The text of a script. */
export interface ScriptSource {
	kind: ScriptKind;
	source: string;
}

/** A script to run: its text travels once per worker, later calls name it by its id alone. */
export interface ScriptCall {
	/** Given by the manager, one per distinct script. */
	script: number;
	text?: ScriptSource;
	context?: unknown;
}

/** Requests that a worker handles. */
export interface WorkerMethods {
	/** Answered by the worker's main thread, so a blocked event loop shows. */
	ping: { params: null; result: null };
	/** Fails with the error of `scriptMissing` where the worker does not have the text (any more): the manager sends it again. */
	eval: { params: ScriptCall; result: unknown };
	fetchClientValue: { params: { path: string }; result: unknown };
	call: { params: { name: string; args: unknown[] }; result: unknown };
	sample: { params: null; result: WorkerSample };
	/** Closes node's inspector, which the manager opened to find where the process hung. */
	'inspector.close': { params: null; result: null };
	/** Runs the bot's shutdown handlers, destroys its clients, then answers; the process exits right after. */
	shutdown: { params: { reason: string }; result: null };
}

/** Requests that the manager handles. */
export interface ManagerMethods {
	/** Resolves when this shard may send IDENTIFY now. Cancelled by the worker when it no longer wants to. */
	'identify.acquire': { params: { shardId: number }; result: { slotId: number } };
	broadcastEval: { params: { kind: ScriptKind; source: string; context: unknown; options: RemoteCallOptions }; result: unknown };
	fetchClientValues: { params: { path: string; options: RemoteCallOptions }; result: unknown };
	call: { params: { name: string; args: unknown[]; options: RemoteCallOptions }; result: unknown };
	respawnShard: { params: { shardId: number }; result: boolean };
	respawnAll: { params: RespawnAllOptions; result: null };
	getShardStats: { params: { fresh?: boolean }; result: ShardStats[] };
}

export interface RespawnAllOptions {
	/** One worker at a time, the next only after the last is ready (default `true`). */
	rolling?: boolean;
	/** How many workers at once when rolling (default 1). */
	parallel?: number;
	/** Pause between one worker's being ready and the next one's stop, in ms (default 0). */
	delayMs?: number;
}

/** Something about the bot that a person has to change, noticed by its worker. */
export interface BotProblem {
	code: BotProblemCode;
	/** What happened and what to do, for people. */
	message: string;
	/** The bot cannot run like this: the worker exits after this report, and a restart does not help. */
	fatal: boolean;
}

export type BotProblemCode =
	/** It starts processes of its own for its shards: a ShardingManager, a ClusterManager, or `cluster.fork()`. */
	| 'NESTED_MANAGER'
	/** A client of a library that needs `attach()` connects without it. */
	| 'NOT_ATTACHED'
	/** A version of a library that shardctl does not support. */
	| 'UNSUPPORTED_LIBRARY';

/** Events that a worker sends; they have no reply. */
export interface WorkerEvents {
	/** The bot made a client that we drive: its library and version. */
	attached: { library: string };
	/** The bot does something that does not work under a manager. Sent once per problem. */
	problem: BotProblem;
	/** IDENTIFY went out on this slot: its window starts. */
	'identify.sent': { slotId: number };
	/** READY arrived: Discord has counted the IDENTIFY of this slot. */
	'identify.confirmed': { slotId: number };
	/** The slot was not used. */
	'identify.released': { slotId: number };
	'shard.status': ShardReport;
	/** What has become of the bot's connection to the event queue. */
	'queue.status': { status: QueueConnectionStatus };
	sample: WorkerSample;
}

/** Events that the manager sends. */
export interface ManagerEvents {
	/** See {@link WorkerConfig.leaseUntilMs}. */
	lease: { untilMs: number };
}

/** A change in one shard's connection, as its worker sees it. */
export interface ShardReport {
	shardId: number;
	status: 'ready' | 'reconnecting' | 'resumed' | 'disconnected';
	/** Discord's close code, where one came with the change. Codes that no retry can fix are fatal. */
	closeCode?: number;
}
