// What the control API needs of the cluster that its fleet is a node of. A fleet on one machine has none.
import type { NodeInfo } from '@shardctl/core';
import type { Fleet } from './fleet.js';
import type { FleetEvent } from './fleet-events.js';
import type { FrameSink } from './frame-sink.js';

export type { NodeInfo, NodeStatus } from '@shardctl/core';

export interface ClusterInfo {
	cluster: { app: string; engine: string; version: string };
	nodes: NodeInfo[];
}

/** Where one session is, and where it is moved to. */
export interface SessionPlace {
	session: number;
	shardIds: number[];
	/** The name of a node; null while no node has it. */
	node: string | null;
	phase: 'held' | 'moving' | 'prepared';
	/** Null where it is not being moved. */
	target: string | null;
}

/** The move of one session from one node to another, or of those that have replaced it. */
export interface SessionMove {
	/** Ascending. */
	sessions: number[];
	shardIds: number[];
	from: string;
	to: string;
}

export interface DrainRequest {
	/** Default: this node. */
	node?: string | undefined;
	deadlineMs?: number | undefined;
	/** Gives the node sessions again. */
	undo?: boolean | undefined;
	/** Also where no other node can take its sessions. */
	force?: boolean | undefined;
	/** Returns once the node is marked, before its sessions have moved. */
	wait?: boolean | undefined;
	signal?: AbortSignal | undefined;
}

export interface DrainOutcome {
	node: string;
	/** Sessions that have moved since the request. */
	moved: number;
	/** Sessions that it still has. */
	left: number;
}

/** What another node is asked to send: events or lines. */
export interface FollowRequest {
	what: 'events' | 'logs';
	tail: number;
	shard?: number | undefined;
}

/** What a node lets other nodes read of its feed. */
export interface NodeFeed {
	recentEvents(): readonly FleetEvent[];
	followEvents(sink: FrameSink, options: { tail: number }, signal: AbortSignal): void;
	followLogs(sink: FrameSink, options: { tail: number; shard: number | undefined }, signal: AbortSignal): Promise<void>;
}

/** Every method that names a node rejects with `NODE_NOT_FOUND` where the cluster has no live node of that name. */
export interface FleetCluster {
	/** The name of this node. */
	readonly node: string;
	/** Whether it is a node of the cluster now; before and after that there is only what its own machine runs. */
	readonly joined: boolean;
	/** All nodes together. */
	readonly whole: Fleet;
	/** What one node runs. */
	fleetOf(node: string): Promise<Fleet>;

	nodes(): Promise<ClusterInfo>;
	placement(): Promise<SessionPlace[]>;
	/**
	 * Moves every session of a node to the others, and gives it none until the drain is undone. Resolves when it has none left. Rejects with
	 * `LAST_NODE` where no other node can take them, and with `CALL_TIMEOUT` at the deadline; then the node stays marked.
	 */
	drain(request: DrainRequest): Promise<DrainOutcome>;
	/**
	 * Moves the session that carries a shard. Resolves when it is ready there; `moved` is false where it was there. Rejects with
	 * `SHARD_NOT_OWNED` and `NODE_DRAINING`.
	 */
	move(request: { shardId: number; node: string; signal?: AbortSignal }): Promise<SessionMove & { moved: boolean }>;
	/** Evens out the nodes; with `dryRun` only returns the moves. Resolves when they are done. */
	rebalance(request: { dryRun?: boolean; signal?: AbortSignal }): Promise<SessionMove[]>;
	/** Stops one node, which drains first, or all of them, where nothing moves; without a name also the one that is asked, as the last. */
	stopNodes(request: { node?: string; graceMs?: number; reason: string }): Promise<string[]>;

	/** The last events of one node, or of all, oldest first. */
	recentEvents(node?: string): Promise<FleetEvent[]>;
	/** Sends the frames of one node, or of all: the last `tail` of all together, then each new one, until the signal aborts. */
	follow(sink: FrameSink, request: FollowRequest & { node?: string | undefined }, signal: AbortSignal): Promise<void>;
	/** Lets the other nodes read this feed. */
	serve(feed: NodeFeed): void;
}

/** What one machine runs, as its control API serves it: with the cluster that it is a node of, if any. */
export interface ServedFleet extends Fleet {
	readonly cluster?: FleetCluster | undefined;
}
