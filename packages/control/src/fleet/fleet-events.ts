// What happens to a fleet, as plain data: the events that the control API, the command line and metrics know. What a bot writes or
// sends is not among them.
import type {
	DeployStats,
	ExitReason,
	FleetHealth,
	GatewayNotice,
	HealthCause,
	ReshardStats,
	RestNotice,
	SizingStats,
} from '@shardctl/core';

/** Which worker an event is about. */
export interface WorkerRef {
	workerId: number;
	shardIds: readonly number[];
}

/** Which gateway process an event is about. */
export interface GatewayRef {
	gatewayId: number;
	shardIds: readonly number[];
}

/** A step of a restart of many workers. */
export interface RestartProgress {
	workerId: number;
	shardIds: readonly number[];
	/** What has just happened to this worker. */
	step: 'restarting' | 'ready' | 'failed';
	/** How many workers are ready again. */
	done: number;
	total: number;
}

/** The end of a process without what only its own machine can use. */
export interface ExitSummary {
	reason: ExitReason;
	/** One sentence for people. */
	message: string;
	/** Exit code; null when a signal ended the process or there was none. */
	code: number | null;
	signal: NodeJS.Signals | null;
	pid: number | null;
	/** From the fork to the exit. */
	uptimeMs: number;
	/** The last lines of its standard error, oldest first. */
	stderrTail: string[];
	/** For a hung process: the JavaScript frames that it was busy in, innermost first, where they are known. */
	stack: string[];
}

/** A change of a fleet's health. */
export interface HealthChange {
	status: FleetHealth['status'];
	served: number;
	shards: number;
	/** Causes that are new, or that concern a shard that they did not concern before. */
	began: HealthCause[];
	/** Causes that concern no shard any more. */
	ended: EndedCause[];
}

/** A cause that is over, as it last was. */
export interface EndedCause extends HealthCause {
	/** From when it was first known until it was over. */
	lastedMs: number;
}

/** How a session got to a node. */
export type SessionArrival = 'started' | 'moved' | 'taken-over';

/** The events whose payload is the same inside a manager and outside. */
export interface SharedFleetEvents {
	/** A worker's process was forked. */
	'worker:spawned': WorkerRef & { pid: number; epoch: number };
	/** Every shard of a worker is ready. */
	'worker:ready': WorkerRef & { tookMs: number };
	/** A worker is not restarted for now: it is tried again after a cool-down, or not at all where `retryInMs` is null. */
	'worker:failed': WorkerRef & { reason: string; retryInMs: number | null };
	/** A worker's main thread does not answer. */
	'worker:unresponsive': WorkerRef;
	/** Its main thread answers again, before it was replaced. */
	'worker:responsive': WorkerRef;
	/** A worker is near its memory limit (a warning), or `over` it: then it is replaced. */
	'worker:memory': WorkerRef & { pid: number; rssBytes: number; limitBytes: number; over: boolean };
	'shard:ready': { shardId: number; workerId: number };
	'shard:reconnecting': { shardId: number; workerId: number };
	'shard:resumed': { shardId: number; workerId: number };
	'shard:disconnected': { shardId: number; workerId: number; closeCode: number | undefined };
	/** Resident mode: a gateway process was forked. */
	'gateway:spawned': GatewayRef & { pid: number };
	/** Resident mode: a gateway process ended. Its sessions with Discord stay open for the next process. */
	'gateway:exited': GatewayRef & { message: string; requested: boolean };
	/** Resident mode: something happened to a shard in its gateway process, or to all shards of a session with Discord. */
	'gateway:notice': GatewayRef & { kind: GatewayNotice['kind']; message: string };
	/** In a cluster: this manager is a node of it; `tookMs` is from its first try. */
	'cluster:joined': { tookMs: number };
	/** It is no longer; `tookMs` is how long its sessions took to move away or to be released. */
	'cluster:left': { tookMs: number };
	/** Its lease is not confirmed, so it delivers no events. */
	'cluster:muted': { sessions: number };
	/** Its lease is confirmed again. */
	'cluster:confirmed': { mutedMs: number };
	/** Another node has died: `name`, with the sessions that it had. Reported by one of the nodes that live. */
	'cluster:node-gone': { name: string; sessions: number };
	/** None of its sessions has reached Discord for a while, or one does again. */
	'cluster:discord': { reached: boolean };
	/** A session is ready on this node: for the first time, moved from another node, or taken over from one that ended without moving it. */
	'cluster:session-ready': { sessions: readonly number[]; shardIds: readonly number[]; how: SessionArrival; tookMs: number };
	/** A session is no longer this node's; `how` is `moved` where this node has handed it over. */
	'cluster:session-gone': {
		sessions: readonly number[];
		shardIds: readonly number[];
		how: 'moved' | 'lost' | 'released';
		tookMs: number;
	};
	/** The process that sends the requests to Discord's REST API was forked. */
	'rest:spawned': { pid: number };
	/** That process ended. Requests wait for the next one. */
	'rest:exited': { message: string; requested: boolean };
	/** Something happened in that process. */
	'rest:notice': RestNotice;
	/** Resident mode: a worker was replaced without a gap. */
	'worker:deployed': WorkerRef & { tookMs: number };
	/** Resident mode: the new process of a worker failed, and the old one keeps running. */
	'worker:rolled-back': WorkerRef & { reason: string };
	/** Resident mode: the new process of a worker needs a port that the old one has, so the old one ends first. */
	'worker:stop-first': WorkerRef & { reason: string };
	/** A deploy has begun something, or has ended. */
	'deploy:progress': DeployStats;
	/** A resharding has begun, has replaced some sessions, or has ended. */
	'reshard:progress': ReshardStats;
	/** The bot has outgrown its sessions with Discord, or no longer has; or an automatic resharding was refused, and is tried again later. */
	'fleet:sizing': SizingStats;
	/** A restart waits because only the reserve of the day's session starts is left. */
	'identify:deferred': WorkerRef & { remaining: number; resetAt: number };
	/**
	 * A process was permitted to identify these shards, of a worker's own or of a session, and did not do it in time. The permission counts
	 * as used, and the next in line has its turn.
	 */
	'identify:expired': { workerId?: number; gatewayId?: number; shardIds: readonly number[]; afterMs: number };
	/** A step of a restart of many workers. */
	'restart:progress': RestartProgress;
	/** Every shard is ready for the first time. */
	'fleet:ready': { shards: number; workers: number; tookMs: number };
	/** The fleet's health changed: what began and what ended since the last change. */
	'fleet:health': HealthChange;
	/** Every process of the fleet has ended. `code` is that of the error, or null where a stop was requested. */
	'fleet:stopped': { message: string; code: string | null };
}

/** The type of each event with its payload. */
export interface FleetEventPayloads extends SharedFleetEvents {
	/** A worker's process ended. */
	'worker:exited': WorkerRef & { exit: ExitSummary };
	/** Discord refused for good, and no worker is left. */
	'fleet:refused': { code: string; message: string };
}

export type FleetEventType = keyof FleetEventPayloads;

/** An event as a fleet reports it: its type and its payload. */
export type FleetEventBody = { [K in FleetEventType]: { type: K } & FleetEventPayloads[K] }[FleetEventType];

/**
 * One thing that happened. `seq` counts from 1 and never repeats in one manager; `at` is in epoch ms; in a cluster `node` is where it
 * happened.
 */
export type FleetEvent = {
	[K in FleetEventType]: { seq: number; at: number; type: K; node?: string } & FleetEventPayloads[K];
}[FleetEventType];
