// One end of a message channel, as the peer sees it: send a message, receive messages, notice the end. It does not know what the
// messages mean. A new kind of channel is one more file that implements this interface and passes the contract suite.

/** One end of an ordered, reliable channel of JSON messages. The creator of the channel closes it; a port only reports its end. */
export interface Port {
	/**
	 * Hands one message to the channel. Returns false when the sender should wait for `done` before it sends more (back-pressure).
	 *
	 * `done` is called exactly once and never before `send` has returned: with null when the message was handed over, with an
	 * error when the channel is broken. A message that this channel can never carry (its JSON text would be too long) makes
	 * `send` throw instead; the channel still works and `done` is not called.
	 */
	send(message: unknown, done: (error: Error | null) => void): boolean;
	/** Calls the listener for every message of ours, in the order in which they were sent. */
	onMessage(listener: (message: unknown) => void): void;
	/** Calls the listener once when the channel has ended, also when it had ended before. */
	onClose(listener: () => void): void;
}
