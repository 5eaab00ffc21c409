// The durations of the lease protocol. They depend on each other, so all follow from the lease and the replication lag. The reasons for
// each are in README.md; the model in test/model shows what breaks when one of the relations does not hold.

export interface Timings {
	/** T: how long Redis keeps a node that does not renew. */
	readonly leaseMs: number;
	/** V: how long a renewal is valid for the node itself, from the moment it was *sent*. */
	readonly validMs: number;
	/** Q: after a new engine, nothing is assigned to any node for this long. */
	readonly quietMs: number;
	/** Time between renewals. */
	readonly renewMs: number;
	/** A renewal without an answer is sent again after this. */
	readonly retryMs: number;
	/** A takeover is refused until the deadline is past by this much. */
	readonly takeMarginMs: number;
	/** A node takes over from another only if it has seen no renewal of it for this long, on its own monotonic clock. */
	readonly observeMs: number;
	/** A longer time in which no script ran starts the quiet period: Redis' clock may have been set forward. */
	readonly gapMs: number;
	/** A larger difference between the wall clock and the monotonic clock since the last renewal mutes a node until the next one. */
	readonly doubtMs: number;
}

export interface TimingsOptions {
	/** Default 6000. */
	leaseMs?: number;
	/** `min-replicas-max-lag` of Redis, in ms, where it has replicas. */
	maxLagMs?: number;
}

/** The bounds of the lease: below, a busy machine loses its sessions; above, a dead machine is replaced late. */
export const leaseBoundsMs = { min: 1000, max: 120_000 } as const;

/** @internal */
export function timingsFor({ leaseMs = 6000, maxLagMs = 0 }: TimingsOptions = {}): Timings {
	const validMs = Math.floor(leaseMs * 0.75);
	// 0.5 s for the default lease.
	const takeMarginMs = Math.ceil(leaseMs / 12);
	return {
		leaseMs,
		validMs,
		quietMs: Math.max(leaseMs + Math.ceil(leaseMs / 6), maxLagMs > 0 ? validMs + maxLagMs + 1500 : 0),
		renewMs: Math.floor(leaseMs / 4),
		retryMs: Math.floor(leaseMs / 12),
		takeMarginMs,
		observeMs: validMs + takeMarginMs,
		gapMs: leaseMs + takeMarginMs - validMs,
		// Below gapMs, as a node that was frozen for longer may have been replaced.
		doubtMs: Math.floor((leaseMs + takeMarginMs - validMs) / 2),
	};
}
