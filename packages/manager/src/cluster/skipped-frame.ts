// The frame of a stream that says how many frames of a node were left out; see `Followed` in packages/control.

/** @param skipped `count` null: not known how many, or whether any. */
export function skippedFrame(skipped: { count: number | null; node: string }): string {
	return `event: skipped\ndata: ${JSON.stringify(skipped)}\n\n`;
}
