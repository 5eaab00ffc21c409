// Who holds the sessions with Discord, and what that means for a worker. The manager knows only this interface; direct, resident
// and queue mode are its implementations.

import type {
	GatewayProcessStats,
	IdentifySlot,
	IdentifyWait,
	Layout,
	ReshardedGroup,
	ReshardGroup,
	ShardStats,
} from '@shardctl/core';
import type { LocalGatewayView } from '../foreign/foreign-source.js';
import type { Plan } from '../plan/plan.js';
import type { ShardPlan } from '../plan/plan-shards.js';
import type { ManagedWorker } from '../workers/managed-worker.js';
import type { StartTicket } from '../workers/start-ticket.js';
import type { Carried } from './carried.js';
import type { SessionToCarry } from './carried-session.js';
import type { Replacement } from './replacement.js';
import type { WorkerSetChanged, WorkerSetChangeState } from './worker-set-change.js';

export interface ReplaceOptions {
	/** For logs and exit reports. */
	reason: string;
	/**
	 * Give up after this many replacements that ended before they were ready (default: as long as the restart policy tries). A mode
	 * that keeps the old process until the new one is ready tries once in any case.
	 */
	giveUpAfterExits?: number;
}

export interface DeployReplaceOptions {
	/** `stop`: the old process ends before the new one is started, and cannot be brought back. */
	first: 'start' | 'stop';
	signal: AbortSignal;
	/** What it waits for now, for people. */
	onStage(stage: string): void;
}

export interface ChangeShardsOptions {
	/** Calls it off until the decision. */
	signal: AbortSignal;
	/** The new workers count from here on: writes that down. Nothing has changed where it throws. */
	onDecided(plan: Plan): void;
	onState?(state: WorkerSetChangeState): void;
}

export interface SessionMode {
	/** Whether {@link replace} leaves no gap in the events, so that a deploy is possible. */
	readonly seamless: boolean;

	/** The plan as it is now: the sessions of a node of a cluster change. Undefined before {@link start}. */
	readonly plan: Plan | undefined;

	/**
	 * Starts what holds the sessions, where that is not the workers. Called once, before any worker is started; resolves when workers
	 * can connect. Rejects with `WORKERS_FAILED`, or the signal's reason. What was started by then is left for {@link stop}.
	 */
	start(plan: Plan, signal: AbortSignal): Promise<void>;

	/** Waits for sessions that no worker stands for; absent where each worker is ready only with its sessions. Rejects with the signal's reason. */
	whenServed?(signal: AbortSignal): Promise<void>;

	/** As a node of a cluster: makes what carries a session, and starts it as far as it may before the session is this node's. */
	carry(session: SessionToCarry): Carried;

	/** As a node of a cluster: the sessions with Discord of the whole bot are these now. Absent where the workers have them. */
	noteLayout?(layout: Layout): void;

	/** As a node of a cluster: how many processes wait for sessions that come to it. */
	keepSpares(count: number): void;

	/**
	 * Called before each fork of a worker's process: waits until it may be started, and returns what it is started with. A rejection
	 * gives the worker up. The signal aborts when the start is cancelled.
	 */
	prepare(worker: ManagedWorker, signal: AbortSignal): Promise<StartTicket>;

	/** Waits until one of a worker's shards may send IDENTIFY to what its ticket names. Rejects only with the signal's reason. */
	acquireIdentify(worker: ManagedWorker, shardId: number, signal: AbortSignal): Promise<IdentifySlot>;

	/**
	 * Replaces a worker's process; resolves when the new one is ready. Rejects with `WORKER_NOT_READY`, whose message has the reason,
	 * when it could not be. Respawn, rolling restart and deploy all come down to this.
	 */
	replace(worker: ManagedWorker, options: ReplaceOptions): Promise<void>;

	/**
	 * Replaces a worker's process as part of a deploy: as {@link replace}, but the old process is kept until the replacement is released
	 * or undone, and nothing else replaces the worker meanwhile. The signal calls it off until the new process has taken over.
	 * Throws `OPTIONS_INVALID` in a mode that is not {@link seamless}.
	 */
	deploy(worker: ManagedWorker, options: DeployReplaceOptions): Promise<Replacement>;

	/** Every shard of a worker's process is ready. */
	onReady(worker: ManagedWorker): void;

	/** What the gateway process of a worker sees of it; undefined in a mode without gateway processes. */
	viewOf(worker: ManagedWorker): LocalGatewayView | undefined;

	/** Direct mode: whether the IDENTIFY of a shard waits until the day's session starts reset. */
	waitsForBudget(shardId: number): boolean;
	/** The shards that wait for an identify slot. */
	identifyWaits(): IdentifyWait[];

	/** Whether everything that the mode itself runs is running; `up` where that is nothing. */
	health(): 'up' | 'degraded';

	/** Figures of the gateway processes; undefined in a mode without any. Never rejects. */
	stats(nowMs: number): Promise<GatewayProcessStats[] | undefined>;

	/** The shards, where no worker has them. */
	shardStats?(gateways: readonly GatewayProcessStats[]): ShardStats[];

	/** Replaces the gateway processes one after the other. Throws `OPTIONS_INVALID` in a mode without any, and `WORKER_NOT_READY`. */
	restartGateways(): Promise<void>;

	/**
	 * Replaces the sessions of one group by those of another count; resolves with the layout as it is then. Rejects with `RESHARD_FAILED`,
	 * where nothing has changed, with the signal's reason, and with `RESHARD_UNSUPPORTED` in a mode in which the workers have the sessions.
	 */
	reshard(request: ReshardGroup, signal: AbortSignal): Promise<{ layout: Layout; done: ReshardedGroup }>;

	/**
	 * Replaces all workers by those of another shard count, while the sessions stay and every event is delivered once. Rejects with
	 * `RESHARD_FAILED`, where nothing has changed. Absent in a mode in which that is not possible.
	 */
	changeShards?(plan: ShardPlan, options: ChangeShardsOptions): Promise<WorkerSetChanged>;

	/** Ends what {@link start} started, and its sessions with Discord. The workers are gone by then. Idempotent. */
	stop(options: { graceMs?: number }): Promise<void>;
}
