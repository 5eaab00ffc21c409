// The shapes of the figures that workers sample and managers show.

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
	heapUsedBytes: number;
	/** Share of one core since the last sample, in percent. */
	cpuPercent: number;
	/** Processor time since the process began, in s. */
	cpuSeconds: number;
	/** 99th percentile of the event loop's delay since the last sample, in ms. */
	loopDelayP99Ms: number;
	uptimeMs: number;
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
	workerId: number;
	/** Null while no process is there. */
	pid: number | null;
	status: ShardStatus;
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
}
