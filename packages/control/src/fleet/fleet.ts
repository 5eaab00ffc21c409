// What the control API needs of a fleet: figures as plain data, events, calls and actions. A manager implements it for its own
// machine; many machines together can implement it too, so whatever a remote machine would have to answer is asynchronous.
import type {
	BroadcastEvalOptions,
	CallOptions,
	DeadEvent,
	DeployOutcome,
	DeployStats,
	LastExit,
	LogEntry,
	ManagerStats,
	ReshardOutcome,
	ReshardRequest,
	RespawnAllOptions,
	ShardStatus,
	WorkerSample,
} from '@shardctl/core';
import type { FleetEventBody } from './fleet-events.js';

export type { LogEntry } from '@shardctl/core';

/** One worker at one moment, as plain data. */
export interface WorkerView {
	id: number;
	/** For people: `worker 3 (shards 6-7)`. */
	label: string;
	shardIds: readonly number[];
	/** The status of each shard, in the order of `shardIds`. */
	statuses: readonly ShardStatus[];
	/** The state of its process, as the supervisor names it. */
	state: string;
	/** Null while no process is there, as `startedAt`. */
	pid: number | null;
	/** Epoch ms. */
	startedAt: number | null;
	restarts: number;
	/** Lines of output that were left out because it wrote too many. */
	leftOutLines: number;
	lastExit: Pick<LastExit, 'reason' | 'message' | 'at'> | null;
	/** The last figures that the worker pushed; undefined before the first, and while no process is there. */
	sample: WorkerSample | undefined;
	/** Processor time of all its processes so far, in s; undefined before the first figures. */
	cpuSeconds: number | undefined;
	/** Calls that wait for an answer of its process. */
	pendingCalls: number;
	/** In a cluster: the node that has it. */
	node?: string | undefined;
}

/** What a deploy is asked for with; each value has a default. */
export interface DeployRequest {
	parallel?: number | undefined;
	observeMs?: number | undefined;
	canary?: number | undefined;
	bakeMs?: number | undefined;
	first?: 'start' | 'stop' | undefined;
	maxErrorRate?: number | undefined;
}

/** The groups of the queue, and the events that they gave up. `id` is that of an event, or `all`. */
export interface FleetQueue {
	/** The newest first. */
	dead(limit: number): Promise<DeadEvent[]>;
	/** `tooOld`: interactions, which are left as they are. Rejects with `OPTIONS_INVALID` for an event that is not there. */
	retryDead(id: string): Promise<{ count: number; tooOld: number }>;
	dropDead(id: string): Promise<{ count: number; tooOld: number }>;
	/** Rejects with `OPTIONS_INVALID` for a group that is not there, and for one that has workers. */
	removeGroup(group: string): Promise<{ unhandled: number; dead: number }>;
}

/** A fleet of workers, as the control API sees and steers it: what a machine runs, or all machines of a cluster together. */
export interface Fleet {
	readonly name: string;
	/** Of shardctl. */
	readonly version: string;
	/** Shards of the bot, on all machines; 0 before the plan is made. */
	readonly totalShards: number;
	getStats(options?: { fresh?: boolean }): Promise<ManagerStats>;
	/** The workers in order of their first shard; none before the plan is made. */
	getWorkers(): Promise<readonly WorkerView[]>;
	/** The last lines of every worker, or of the worker that owns `shard`, oldest first. */
	recentLogs(options: { shard?: number | undefined }): Promise<LogEntry[]>;
	/** Calls `listener` for every event from now on, for as long as the fleet lives, and before the event is reported elsewhere. */
	onEvent(listener: (event: FleetEventBody) => void): void;
	/** Calls `listener` for every line that a worker writes from now on. */
	onLog(listener: (entry: LogEntry) => void): void;

	/** Without a target: one outcome per worker with `settle`, else one value per worker. With one: a single outcome or value. */
	broadcastEval(script: string, options: BroadcastEvalOptions): Promise<unknown>;
	fetchClientValues(path: string, options: CallOptions): Promise<unknown>;
	call(name: string, args: unknown[], options: CallOptions): Promise<unknown>;

	/**
	 * Replaces one worker; `true` once the new process is ready and served by Discord, `false` for a worker that is not there. Rejects
	 * with `WORKER_NOT_READY`, whose message has the reason, when it could not be.
	 */
	replaceWorker(workerId: number, reason: string): Promise<boolean>;
	respawnAll(options: RespawnAllOptions): Promise<void>;
	/** Resident mode: begins to replace every worker without a gap, when its turn comes. Throws `OPTIONS_INVALID` in direct mode. */
	startDeploy(options: DeployRequest): Promise<DeployStats>;
	/** The end of a deploy. Rejects with why it failed or was called off, and `OPTIONS_INVALID` for one that does not exist. */
	waitForDeploy(id: number): Promise<DeployOutcome>;
	/** Calls off the deploy of this number, or the one that runs; with `onlyQueued` only while it has not begun. */
	cancelDeploy(id: number | undefined, options?: { onlyQueued?: boolean }): Promise<DeployStats>;
	/**
	 * Resident mode, or queue mode (sessions only; not a queue in a cluster): replaces the sessions with Discord by more or fewer, or the workers
	 * by those of another shard count. Rejects as `ShardManager.reshard`.
	 */
	reshard(request: ReshardRequest): Promise<ReshardOutcome>;
	/** Queue mode: changes how many workers run here, or on each node that runs any. Rejects with `OPTIONS_INVALID` in other modes. */
	scale(workers: number): Promise<{ from: number; to: number }>;
	/** Queue mode: the events that were given up, and the removal of groups. */
	readonly queue?: FleetQueue | undefined;
	/** Resident mode: replaces the gateway processes. Throws `OPTIONS_INVALID` in direct mode. */
	restartGateways(): Promise<void>;
	/** Replaces the REST process. Throws `OPTIONS_INVALID` in a fleet without one. */
	restartRest(): Promise<void>;
	/** In a cluster it moves its sessions to other nodes first, unless `drain` is false. */
	stop(options: { graceMs?: number; reason?: string; drain?: boolean }): Promise<void>;
}
