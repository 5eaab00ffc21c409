// The bounds of a peer, in one place with their defaults. Each comment says what happens at the bound.

export interface PeerLimits {
	/** Calls of this side that wait for a reply; one more is refused with `CALL_LIMIT` (default 10,000). */
	maxPendingCalls: number;
	/** Handlers that run here at once, cancelled ones included; one more is answered with `CALL_LIMIT` (default 10,000). */
	maxRunningHandlers: number;
	/**
	 * Size of one value on the wire: params, a result or an event's payload. A larger one is refused with `MESSAGE_TOO_LARGE`
	 * (default 64 MiB). Measured while the value is encoded, before the text is made: exact to the byte for long strings, an
	 * estimate for the rest.
	 */
	maxMessageBytes: number;
	/**
	 * What one value takes in the memory of the receiver, as an estimate; a larger one is refused with `MESSAGE_TOO_LARGE` (default: no
	 * limit). The receiver does nothing else while it reads the value.
	 */
	maxHeapBytes: number;
	/** Frames held back while the channel is congested; a further request is refused with `CALL_LIMIT`, a further event dropped (default 20,000). */
	maxQueuedFrames: number;
	/** Size of the frames held back, likewise; one frame always fits into an empty queue (default 64 MiB). */
	maxQueuedBytes: number;
	/** Depth of nesting in one value; a deeper one is refused with `NOT_SERIALIZABLE` (default 256). */
	maxDepth: number;
}

export const defaultPeerLimits: Readonly<PeerLimits> = {
	maxPendingCalls: 10_000,
	maxRunningHandlers: 10_000,
	maxMessageBytes: 64 * 1024 * 1024,
	maxHeapBytes: Number.POSITIVE_INFINITY,
	maxQueuedFrames: 20_000,
	maxQueuedBytes: 64 * 1024 * 1024,
	maxDepth: 256,
};
