// What a manager shows about its whole fleet.
import type { GatewayProcessStats } from './gateway.js';
import type { FleetHealth, HostFacts } from './health.js';
import type { FleetLosses } from './losses.js';
import type { QueueStats } from './queue.js';
import type { RestStats } from './rest.js';
import type { ShardStats, WorkerStats } from './stats.js';

/** What is left of the day's session starts. Discord: Gateway, "Session Start Limit". */
export interface IdentifyBudgetState {
	total: number;
	remaining: number;
	/** Epoch ms when `remaining` becomes `total` again. */
	resetAt: number;
	maxConcurrency: number;
	/** Identifies that this manager has allowed since it began. */
	granted: number;
}

export type ManagerStatus = 'idle' | 'starting' | 'running' | 'degraded' | 'stopping' | 'stopped';

/** Everything about a fleet at one moment, as `shardctl stats --json` prints it. */
export interface ManagerStats {
	manager: {
		name: string;
		pid: number;
		/** Of shardctl. */
		version: string;
		totalShards: number;
		shardIds: number[];
		workers: number;
		/** Epoch ms. */
		startedAt: number;
		uptimeMs: number;
		status: ManagerStatus;
		identify: IdentifyBudgetState;
		/** The simulator that takes Discord's place, if any. */
		simulator?: { url: string } | undefined;
	};
	/** Whether the fleet serves its guilds, and if not, why. */
	health: FleetHealth;
	/** What was lost since the manager started. */
	losses?: FleetLosses | undefined;
	shards: ShardStats[];
	workers: WorkerStats[];
	/** What the machine has left. */
	host?: HostFacts | undefined;
	/** Resident mode only. */
	gateways?: GatewayProcessStats[] | undefined;
	/** The process that sends the requests to Discord's REST API; none where each worker sends its own. */
	rest?: RestStats | undefined;
	/** The event queue of the bot, where the fleet writes to it or reads it. */
	queue?: QueueStats | undefined;
	/** The deploy that runs, or the last one; none before the first. `queued`: how many wait behind it. */
	deploy?: (DeployStats & { queued: number }) | undefined;
	/** The resharding that runs, or the last one; absent before the first. */
	reshard?: ReshardStats | undefined;
	/** Whether there are enough sessions with Discord; absent with `reshard: 'off'`, and until the fleet is ready. */
	sizing?: SizingStats | undefined;
}

/** Whether a bot has outgrown its sessions with Discord, and what is done about it. */
export interface SizingStats {
	/** Sessions with Discord. */
	sessions: number;
	/** What Discord recommends. */
	recommended: number;
	/** Guilds in the session that has most, of the {@link guildLimit} that Discord allows in one. */
	guilds: number;
	guildLimit: number;
	/** A session is 80 % full, or Discord recommends twice the sessions. */
	outgrown: boolean;
	/** The session count to have then; null where that needs a restart with more shards. */
	advised: number | null;
	/** Why it is outgrown; null while it is not, as the next one. */
	message: string | null;
	/** What a person can do. */
	remedy: string | null;
	/** Whether the fleet is resharded by itself. */
	automatic: boolean;
	/** What that waits for, and until when in epoch ms, where that is known; null while it waits for nothing. */
	waitsFor: string | null;
	nextTryAt: number | null;
}

/** One deploy as `stats` shows it. */
export interface ReshardRequest {
	/** Sessions with Discord to end with (default: as many as there are). */
	sessions?: number | undefined;
	/** Shards that the workers see to end with (default: as many as there are). */
	shards?: number | undefined;
	/** Only what it would take. */
	dryRun?: boolean | undefined;
	/** Ends the resharding that runs and returns to the counts before it. */
	undo?: boolean | undefined;
}

export interface ReshardOutcome {
	/** Session counts. */
	from: number;
	to: number;
	/** Where the shard count of the workers changes. */
	shards?: ReshardedShards | undefined;
	/** Session starts that it took, or takes. */
	identifies: number;
	estimatedMs: number;
	/** 0 for what was not done. */
	tookMs: number;
	/** The longest time for which some shards received no event. */
	longestPauseMs: number;
	/** In a cluster, of what was only planned: how many of the sessions each node would have. */
	nodes?: { name: string; sessions: number }[] | undefined;
	/** In a cluster, of what was only planned: see {@link ReshardStats.waitsFor}. */
	waitsFor?: string[] | undefined;
}

/** Another shard count of the workers. */
export interface ReshardedShards {
	from: number;
	to: number;
	/** How many workers there are afterwards. Until the present ones have ended they run beside those. */
	workers: number;
	/** About how much memory they need beside the present ones, and how much is free; null where that is not known. */
	memoryBytes: number | null;
	freeBytes: number;
}

/** A resharding, in groups of sessions, or of workers, that are replaced together. */
export interface ReshardStats {
	/** `failed`: it ended on the way; what was replaced stays. */
	state: 'running' | 'done' | 'failed';
	/** Session counts. */
	from: number;
	to: number;
	/** Shard counts of the workers, where that changes. */
	shards?: { from: number; to: number } | undefined;
	/** Groups; another shard count of the workers is one of them. */
	done: number;
	total: number;
	identifies: number;
	longestPauseMs: number;
	/** Epoch ms. */
	startedAt: number;
	tookMs: number;
	/** About how long it still takes; 0 when it has ended. */
	leftMs: number;
	error: string | null;
	/** In a cluster: what it cannot begin with, and why, for people; empty where nothing holds it up. */
	waitsFor?: string[] | undefined;
}

export interface DeployStats {
	id: number;
	state: 'queued' | 'replacing' | 'baking' | 'finishing' | 'rolling-back' | 'deployed' | 'failed' | 'called-off';
	/** What it does or waits for now, for people. */
	stage: string;
	/** Null where the stage concerns the whole fleet. */
	workerId: number | null;
	shardIds: number[];
	/** How long the stage has lasted; 0 when the deploy is over. */
	stageMs: number;
	/** Epoch ms. */
	startedAt: number;
	tookMs: number;
	/** Workers that run the new version and were watched, of `total`. */
	done: number;
	total: number;
	/** Why it failed or was called off, and what became of the workers; null otherwise. */
	error: string | null;
}

/** What a deploy that has succeeded returns. */
export interface DeployOutcome {
	id: number;
	tookMs: number;
}
