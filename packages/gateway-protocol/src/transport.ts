// The two directions of one connection, without WebSocket: what the protocol's state machine sends through, and what it is
// fed by. Layers (compression, injected faults) wrap either side.

/** Towards the client. Frames arrive in the order in which they were sent; a close comes after all of them. */
export interface FrameTransport {
	send(frame: string): void;
	close(code: number, reason: string): void;
	/** Drops the connection without a close frame. */
	terminate(): void;
}

/** From the client. */
export interface FrameReceiver {
	receive(data: Uint8Array, isBinary: boolean): void;
	/** The connection is gone; 1005 means a close frame without a code, 1006 none at all. */
	closed(code: number): void;
}
