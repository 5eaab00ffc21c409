// What a fleet has lost since it started: events that no worker received, and sessions with Discord that were replaced. Types only.

/** Why events did not reach a worker. */
export const eventLossReasons = ['worker-died', 'buffer-full', 'expired', 'poisoned'] as const;

/**
 * `worker-died`: they were in flight to a worker that died (at-most-once delivery). `buffer-full`: the oldest events of a full buffer.
 * `expired`: interactions that could not be answered any more. `poisoned`: set aside because they crashed their workers.
 */
export type EventLossReason = (typeof eventLossReasons)[number];

/** Events that a gateway process has lost since it last reported some; reasons without any are left out. */
export type LostEvents = Partial<Record<EventLossReason, number>>;

/** One loss. */
export interface Loss {
	/** Epoch ms. */
	at: number;
	/** `session-replaced`: Discord started another session; what happened between the two is not known. */
	reason: EventLossReason | 'session-replaced';
	shardIds: readonly number[];
	/** Null where the number is not known. */
	events: number | null;
}

/** All losses of a fleet since its manager started. */
export interface FleetLosses {
	/** Epoch ms of the manager's start. */
	since: number;
	/** Events that no worker received. Only gateway processes count them, so it is 0 in direct mode. */
	events: number;
	byReason: Record<EventLossReason, number>;
	/** Sessions that Discord started in place of an earlier one. What happened between the two is lost, and its number is not known. */
	sessions: number;
	/** Null before the first loss. */
	last: { at: number; reason: Loss['reason']; shardIds: number[]; events: number | null } | null;
}
