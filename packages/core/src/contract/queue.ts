// The event queue as a manager and its consumers see it: how a worker's connection to the queue reports to the worker's side of the
// manager, which it shares only Node's diagnostics channels with, and the figures that are shown.

/** The diagnostics channel on which each connection to the queue reports; see {@link QueueNews}. */
export const queueChannel = 'shardctl:queue';

/**
 * `connected`: to Redis. `waiting`: for a fleet that writes to the queue. `joined`: it is a member of its group, and gets its part of the
 * events. `closed`: it has left.
 */
export type QueueConnectionStatus = 'connected' | 'waiting' | 'joined' | 'closed';

/** One connection to the queue, as far as the worker's side of a manager uses it. */
export interface QueueConnection {
	readonly group: string;
	stats(): QueueWorkerCounters;
	/** Resolves when everything that it was handling is acknowledged, and it has left its group. */
	close(): Promise<void>;
}

/** A message on the channel. */
export interface QueueNews {
	readonly connection: QueueConnection;
	readonly status: QueueConnectionStatus;
}

/** What one consumer counts. */
export interface QueueWorkerCounters {
	/** Partitions that it reads. */
	partitions: number;
	/** Events that it has and has not handled yet. */
	inHand: number;
	handled: number;
	/** Deliveries of events that were delivered before. */
	redelivered: number;
	/** Interactions that were too old to be handled. */
	expired: number;
	/** Events that were removed before the group read them, as far as this consumer has noticed. */
	missed: number;
	/** Events that it gave up. */
	dead: number;
}

export interface QueueWorkerFigures extends QueueWorkerCounters {
	group: string;
}

/** A partition with events that a group has not handled yet. */
export interface QueuePartitionStats {
	partition: number;
	/** Events that the group has not acknowledged. */
	lag: number;
	/** Of these, those that a worker has. */
	pending: number;
	oldestAgeMs: number;
	/** The worker that reads it; null for none. */
	owner: string | null;
}

export interface QueueGroupStats {
	group: string;
	/** The events that it subscribes to. */
	events: string[];
	/** Workers, on any machine. */
	members: number;
	/** Partitions that a worker reads. */
	partitions: number;
	/** Events that the group has not acknowledged. */
	lag: number;
	/** Of these, those that a worker has. */
	pending: number;
	/** Of the oldest event that is not acknowledged; 0 for none. */
	oldestAgeMs: number;
	/** Events that the group is done with, over the last seconds. */
	handledPerSecond: number;
	/** Deliveries to a worker of events that another one had and did not acknowledge, since the group exists. */
	redelivered: number;
	/** Interactions that were not delivered, because Discord accepts no response to them any more, since the group exists. */
	expired: number;
	/** Events that were removed before the group read them, since the group exists. */
	missed: number;
	/** Events in the stream of dead events. */
	dead: number;
	/** Those with the greatest lag, at most eight. */
	behind: QueuePartitionStats[];
}

/** The event queue, on all machines. */
export interface QueueStats {
	/** Whether Redis answers. The other figures are those of its last answer. */
	connected: boolean;
	/** The shard count by which the events are divided, and the partitions of each shard; 0 before anything has written to the queue. */
	shards: number;
	partitionsPerShard: number;
	/** Written since the queue exists. */
	written: number;
	writtenPerSecond: number;
	/** Interactions to which a gateway process has responded with a deferred response, since the queue exists. */
	deferred: number;
	/** Interactions that were to get a deferred response and did not. */
	deferFailed: number;
	/** Only while events cannot be written, as where Redis is full: those of these shards wait in their gateway processes. */
	unwritten?: QueueUnwritten | undefined;
	groups: QueueGroupStats[];
}

/** Shards whose events are not written to the queue now. */
export interface QueueUnwritten {
	shardIds: number[];
	/** Epoch ms. */
	since: number;
	/** Why: of the first of them. */
	error: string;
	/** Events that wait in the gateway processes. */
	waiting: number;
}

/** An event that was given up. */
export interface DeadEvent {
	/** In the stream of dead events. */
	id: string;
	group: string;
	/** Why its handler failed the last time. */
	reason: string;
	type: string;
	guildId: string | null;
	/** The same as the event's in its handler. */
	key: string;
	/** Epoch ms. */
	at: number;
}
