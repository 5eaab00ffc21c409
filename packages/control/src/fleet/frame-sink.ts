// Where the frames of a reader go: an HTTP response, or another node.

export interface FrameSink {
	/** Sends a frame, or skips it when the reader is behind. */
	send(frame: Buffer): void;
	/** Called at an interval, for what an idle or stalled connection needs. */
	tick(): void;
	end(): void;
}
