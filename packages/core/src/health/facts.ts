// What the health model reads: a part of what `stats --json` prints. Types only.
import type { LastExit, ShardStatus } from '../contract/stats.js';

/** One shard as its worker sees it. */
export interface ShardFacts {
	shardId: number;
	workerId: number;
	status: ShardStatus;
	/** Epoch ms when `status` began; null where it is not known. */
	since?: number | null;
	restarts: number;
	lastExit: LastExit | null;
	/** The close code with which Discord last ended the shard's connection, in direct mode. */
	closeCode?: number | null;
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
	/** Epoch ms of the next start; null when none is planned. */
	nextTryAt: number | null;
	/** Epoch ms of the last answered heartbeat; null before the first. */
	lastAnswerAt: number | null;
	/** From one heartbeat to the next, and how long the worker may be silent; 0: no heartbeats. */
	heartbeat: { intervalMs: number; timeoutMs: number };
	/** Set when no further start is planned and no retry would help. */
	refused?: boolean;
}

/** One gateway process. */
export interface GatewayFacts {
	id: number;
	/** Of its process: `ready`, `starting`, `backing-off`, … */
	status: string;
	shardIds: readonly number[];
	since?: number | null;
	restarts: number;
	nextTryAt?: number | null;
	lastExit?: LastExit | null;
	sessions: readonly SessionFacts[];
	/** Shards whose snapshots could not be saved, since when and why. */
	snapshotFailure?: { shardIds: readonly number[]; since: number; error: string; folder: string } | null;
	/** Events that workers will never see, since the process started. */
	shards: readonly { shardId: number; lost: number; overflowed: number }[];
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
	/** The folder for state files, where its free space is known. */
	stateDir?: { folder: string; freeBytes: number } | null;
}
