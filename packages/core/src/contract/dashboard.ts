// What the control API sends to the web page of the dashboard, beside the figures of `stats`.
import type { NodeInfo } from './cluster.js';

/** What a page shows first. */
export interface DashboardHello {
	name: string;
	/** Of shardctl. */
	version: string;
	/** Of the manager's process: another one after a restart. */
	pid: number;
	/** In a cluster: the node that serves the page. */
	node?: string | undefined;
	/** Whether this page may act, or only read. */
	rights: 'read' | 'act';
	/** The machine's clock, epoch ms: a browser's may differ. */
	now: number;
	/** The most recent events, oldest first. */
	events: DashboardEvent[];
}

/** The nodes of a cluster, and what moves between them. */
export interface DashboardCluster {
	/** The node that serves the page. */
	node: string;
	nodes: NodeInfo[];
	moves: DashboardMove[];
}

/** A session that moves to another node now. */
export interface DashboardMove {
	session: number;
	shardIds: number[];
	/** Null where no node has it yet. */
	from: string | null;
	to: string;
	/** `moving`: the other node prepares it. `prepared`: it is handed over. */
	phase: 'moving' | 'prepared';
}

/** An event of the fleet as a sentence. */
export interface DashboardEvent {
	/** In a cluster: the node where it happened, which counts its own events. */
	node?: string | undefined;
	seq: number;
	/** Epoch ms. */
	at: number;
	type: string;
	level: 'info' | 'warn' | 'error';
	text: string;
	/** Of a notice of a gateway process: what it is about, and the shards. */
	notice?: { kind: string; shardIds: readonly number[] } | undefined;
	/** Of the exit of a worker: what a developer needs. */
	exit?: DashboardExit | undefined;
}

/** How a worker's process ended. */
export interface DashboardExit {
	workerId: number;
	reason: string;
	/** Where its main thread was, innermost first; for a process that hung. */
	stack: readonly string[];
	/** The last lines of its standard error. */
	stderrTail: readonly string[];
}

/** What history keeps of a fleet; NaN inside the manager and null in JSON for what is not known. */
export const historyFields = [
	/** Shards that Discord serves and whose worker answers. */
	'served',
	'guilds',
	/** From Discord; known in resident mode only. */
	'eventsPerSecond',
	'pingP50Ms',
	'pingP99Ms',
	/** Resident memory of all workers and gateway processes together, and of the largest worker. */
	'memoryBytes',
	'memoryMaxBytes',
	/** Share of one core of all workers together. */
	'cpuPercent',
	/** Of the worker where it is longest. */
	'loopDelayMs',
	/** Events that wait in gateway processes for their workers; the age of the oldest. */
	'bufferedEvents',
	'bufferAgeMs',
	/** Where one process sends the requests to Discord's REST API: requests a second, and those that wait. */
	'restPerSecond',
	'restQueued',
	/** Restarts of workers and gateway processes since the manager started. */
	'restarts',
] as const;

export type HistoryField = (typeof historyFields)[number];

/** One moment. */
export type HistoryPoint = { at: number } & { [Field in HistoryField]: number | null };

/** Moments in columns, oldest first. */
export type History = { at: number[] } & { [Field in HistoryField]: (number | null)[] };

/** `hour`: every 5 s; `day`: every minute. */
export type HistoryRange = 'hour' | 'day';

/** What history keeps of each worker. */
export const workerHistoryFields = [
	'memoryBytes',
	/** Share of one core. */
	'cpuPercent',
	'loopDelayMs',
] as const;

export type WorkerHistoryField = (typeof workerHistoryFields)[number];

/** Moments of one worker in columns, oldest first; null where nothing was known of it. */
export type WorkerHistory = { at: number[] } & { [Field in WorkerHistoryField]: (number | null)[] };
