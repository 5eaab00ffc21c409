// The shapes of the figures that workers sample and managers show.
import type { QueueWorkerFigures } from './queue.js';

/** One shard as its worker sees it. */
export interface ShardSample {
	shardId: number;
	guildCount: number;
	/** Sum of the guilds' member counts. */
	userCount: number;
	/** Heartbeat round trip in ms; null before the first. */
	ping: number | null;
}

/** What a worker measures of itself; pushed to the manager at an interval. */
export interface WorkerSample {
	shards: ShardSample[];
	rssBytes: number;
	/** Null for a worker that is not Node.js. */
	heapUsedBytes: number | null;
	/** Share of one core since the last sample, in percent. */
	cpuPercent: number;
	/** Processor time since the process began, in s. */
	cpuSeconds: number;
	/** 99th percentile of the event loop's delay since the last sample, in ms; null for a worker that is not Node.js. */
	loopDelayP99Ms: number | null;
	uptimeMs: number;
	/** Of its connection to the event queue, where it has one. */
	queue?: QueueWorkerFigures | undefined;
}

/** What people see of a shard; `waiting` is for an identify slot. */
export type ShardStatus =
	| 'planned'
	| 'booting'
	| 'waiting'
	| 'identifying'
	| 'ready'
	| 'reconnecting'
	| 'disconnected'
	| 'unresponsive'
	| 'stopping'
	| 'restarting'
	| 'failed'
	| 'stopped';

/** How a process ended, seen from outside. */
export type ExitReason =
	/** Exit code 0, unasked. */
	| 'clean'
	/** Another exit code that says no more. */
	| 'exit-code'
	/** A signal that we did not send. */
	| 'signal'
	| 'uncaught-exception'
	/** The heap limit, or the kernel's out-of-memory killer where that can be detected. */
	| 'out-of-memory'
	/** Its main thread answered no heartbeat. */
	| 'hung'
	| 'ready-timeout'
	/** Its owner said that no restart can help. */
	| 'fatal'
	/** It grew over its owner's limit. */
	| 'memory-limit'
	/** It sent its owner what the protocol between them does not allow. */
	| 'protocol-error'
	/** Stopped or replaced on request. */
	| 'requested'
	/** There never was a process. */
	| 'spawn-failed';

/** How a worker's last process ended. */
export interface LastExit {
	reason: string;
	message: string;
	/** Epoch ms. */
	at: number;
}

/** One shard as its manager sees it. */
export interface ShardStats {
	shardId: number;
	/** Null where no worker has the shard: its events go to the queue. */
	workerId: number | null;
	/** Null while no process is there. */
	pid: number | null;
	status: ShardStatus;
	/** Epoch ms when `status` began; null where it is not known. */
	since: number | null;
	/** `status` is `ready`: Discord serves the shard and its worker answers. */
	ready: boolean;
	guildCount: number;
	/** Sum of the guilds' member counts. */
	userCount: number;
	/** Heartbeat round trip in ms; null before the first. */
	ping: number | null;
	/** The worker's resident memory divided by its number of shards, in MiB; null before its first sample. */
	memoryMb: number | null;
	/** The worker's share of one core divided by its number of shards; null before its first sample. */
	cpuPercent: number | null;
	/** 99th percentile of the worker's event loop delay in ms; null before its first sample. */
	loopDelayMs: number | null;
	/** Since the worker's process started; 0 while none is there. */
	uptimeMs: number;
	/** How often the worker was restarted. */
	restarts: number;
	lastExit: LastExit | null;
	/** The close code with which Discord last ended the shard's connection, where the shard is not connected again since. */
	closeCode: number | null;
	/** Direct mode: its IDENTIFY waits until the session starts of the day reset. */
	waitsForBudget?: boolean | undefined;
	/** In a cluster: the node that has it. */
	node?: string | undefined;
}

/** One worker as its supervisor sees it. */
export interface WorkerFacts {
	id: number;
	shardIds: readonly number[];
	state: string;
	/** Epoch ms when `state` began. */
	since: number;
	/** Starts in a row that did not become stable. */
	tries: number;
	/** Epoch ms when the first of them ended, or the last stable process; null where none has ended by itself. */
	failingSince?: number | null | undefined;
	/** Epoch ms of the next start; null when none is planned. */
	nextTryAt: number | null;
	/** Epoch ms of the last answered heartbeat; null before the first. */
	lastAnswerAt: number | null;
	/** From one heartbeat to the next, and how long the worker may be silent; 0: no heartbeats. */
	heartbeat: { intervalMs: number; timeoutMs: number };
	/** Set when no further start is planned and no retry would help. */
	refused?: boolean;
	/** How its last process ended. */
	lastExit?: LastExit | null;
}

/** One worker as its manager sees it. */
export interface WorkerStats extends WorkerFacts {
	/** Null while no process is there. */
	pid: number | null;
	restarts: number;
	lastExit: LastExit | null;
	/** Resident memory of the process; null before its first sample. */
	rssBytes: number | null;
	/** The memory at which the process is replaced; null without such a limit. */
	memoryLimitBytes: number | null;
	/** Of its connection to the event queue, where it has one. */
	queue?: QueueWorkerFigures | undefined;
	/** In a cluster: the node that has it. */
	node?: string | undefined;
}
