// What the parts of a message take once its JSON is read, as an estimate: bytes of heap, and with them the time that reading takes. The sender
// counts them in the value, the receiver in the text while it arrives.

export const messageWeight = {
	/** A list or an object. */
	container: 56,
	/** A place in one. */
	value: 16,
	/** A key of an object. Where each is another, reading it takes as long as reading several values. */
	key: 48,
} as const;

/** What a process may send its owner in one message. 140,000 guilds with five fields each take that. */
export const maxSentHeapBytes = 64 * 2 ** 20;
