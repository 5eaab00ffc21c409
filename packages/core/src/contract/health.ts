// What the health model reads, which is a part of what `stats --json` prints, and its verdict. Types only.
import type { LastExit, ShardStatus, WorkerFacts } from './stats.js';

/** One shard as its worker sees it. */
export interface ShardFacts {
	shardId: number;
	workerId: number | null;
	status: ShardStatus;
	/** Epoch ms when `status` began; null where it is not known. */
	since?: number | null;
	restarts: number;
	lastExit: LastExit | null;
	/** The close code with which Discord last ended the shard's connection, in direct mode. */
	closeCode?: number | null;
	/** Direct mode: whether its IDENTIFY waits for the day's budget. */
	waitsForBudget?: boolean | undefined;
}

/** One gateway process. */
export interface GatewayFacts {
	id: number;
	/** Of its process: `ready`, `starting`, `backing-off`, … */
	status: string;
	shardIds: readonly number[];
	since?: number | null;
	restarts: number;
	/** Processes in a row that ended before they had proved to be stable. */
	tries?: number;
	/** Epoch ms when the first of them ended, or the last stable one; null where none has ended by itself. */
	failingSince?: number | null | undefined;
	nextTryAt?: number | null;
	lastExit?: LastExit | null;
	/** Epoch ms of the last answered heartbeat. */
	lastAnswerAt?: number | null;
	/** Empty where the process does not answer. */
	sessions: readonly SessionFacts[];
	/** Shards whose snapshots could not be saved, since when and why. */
	snapshotFailure?: { shardIds: readonly number[]; since: number; error: string; folder: string } | null;
	shards: readonly {
		shardId: number;
		/** Events that workers will never see, since the process started. */
		lost: number;
		overflowed: number;
		bufferedEvents?: number;
		/** Queue mode: why its events are not written to the queue, and since when (epoch ms). */
		queueFailure?: { since: number; error: string } | null | undefined;
	}[];
}

/** One session with Discord. */
export interface SessionFacts {
	id: number;
	shardIds: readonly number[];
	status: 'idle' | 'connecting' | 'resuming' | 'ready' | 'refused';
	since?: number | null;
	/** Connection attempts in a row that did not succeed. */
	tries?: number;
	nextTryAt?: number | null;
	/** How the last connection ended: a close code of Discord or a network error. */
	lastClose?: { code: number | null; reason: string; at: number } | null;
	/** The intents that it identifies with. */
	intents?: number | null;
	/** Whether an IDENTIFY waits for the day's budget. */
	waitsForBudget?: boolean;
}

/** The process that sends the requests to Discord's REST API. */
export interface RestFacts {
	/** Of its process: `ready`, `starting`, `backing-off`, … */
	status: string;
	restarts: number;
	since?: number | null;
	tries?: number;
	failingSince?: number | null | undefined;
	nextTryAt?: number | null;
	lastExit?: LastExit | null;
	/** Epoch ms of the last answered heartbeat. */
	lastAnswerAt?: number | null;
	/** Null where the process does not answer. */
	rssBytes: number | null;
	/** Responses with status 401, 403 or 429 in the last ten minutes. */
	invalid: number;
	/** Whether they are close to Discord's limit, so that few requests are sent. */
	guarded: boolean;
}

/** The event queue. */
export interface QueueFacts {
	/** Whether Redis answers. */
	connected: boolean;
	groups: readonly { readonly group: string }[];
}

export interface HealthFacts {
	nowMs: number;
	manager: {
		status: 'idle' | 'starting' | 'running' | 'degraded' | 'stopping' | 'stopped';
		startedAt: number;
		identify: { total: number; remaining: number; resetAt: number };
	};
	shards: readonly ShardFacts[];
	workers?: readonly WorkerFacts[];
	/** Resident mode only. */
	gateways?: readonly GatewayFacts[] | undefined;
	/** Only where one process sends the requests of all workers. */
	rest?: RestFacts | undefined;
	/** Only where the fleet writes to the event queue or reads it. */
	queue?: QueueFacts | undefined;
	/** What the machine has left. */
	host?: HostFacts | undefined;
}

/** What the machine has left, as the manager sees it; null for what the system does not report. */
export interface HostFacts {
	/** The folder for the state of fleets. */
	stateDir: { folder: string; freeBytes: number; totalBytes: number } | null;
	/** Of the manager's own process. */
	openFiles: { used: number; limit: number } | null;
	/** Of the machine, or of the container that limits it. */
	memory: { availableBytes: number; totalBytes: number } | null;
}

/** `healthy`: every shard is served and nothing needs attention. `degraded`: some are, or a risk is known. `down`: none is. */
export type HealthStatus = 'healthy' | 'degraded' | 'down';

export type HealthCauseKind =
	| 'stopped'
	| 'starting'
	| 'node-gone'
	| 'node-muted'
	| 'node-silent'
	| 'shard-unplaced'
	| 'redis-unreachable'
	| 'discord-refused'
	| 'budget-exhausted'
	| 'gateway-process-down'
	| 'session-down'
	| 'worker-failed'
	| 'worker-down'
	| 'worker-unresponsive'
	| 'shard-not-ready'
	| 'rest-process-down'
	| 'queue-unread'
	| 'queue-unreachable'
	| 'queue-unwritten'
	| 'invalid-requests-high'
	| 'snapshots-failing'
	| 'disk-full'
	| 'open-files-low'
	| 'memory-low';

/** One reason why a fleet is not healthy. Times are epoch ms. */
export interface HealthCause {
	kind: HealthCauseKind;
	/** `outage`: shards are not served. `risk`: they are, but something will fail. `progress`: an expected phase. */
	effect: 'outage' | 'risk' | 'progress';
	/** The shards concerned; ascending. */
	shardIds: number[];
	/** One sentence: what is wrong and why. Without times, which readers format for themselves. */
	message: string;
	since: number | null;
	/** Attempts in a row that failed. */
	tries: number;
	nextTryAt: number | null;
	/** Events lost since the processes concerned started. */
	lost: number;
	/** What the operator can do; null where the fleet recovers by itself. */
	remedy: string | null;
}

export interface FleetHealth {
	status: HealthStatus;
	/** Shards that Discord serves and whose worker answers. */
	served: number;
	/** All shards of the fleet. */
	shards: number;
	/** Causes before their effects, then by the number of shards concerned. A shard appears under its first cause only. */
	causes: HealthCause[];
}
