// Where the tokens of the global limit are from: the window of this process alone, or its part of a limit that several machines share.

/** The right to send one request to Discord. */
export interface Token {
	/** Discord has answered the request, or will never. */
	settle(nowMs: number): void;
	/** The request was not sent. */
	giveBack(): void;
}

export interface TokenSource {
	/**
	 * Undefined where there is none now.
	 * @param waiting Requests that wait for one, this one included.
	 */
	take(nowMs: number, waiting: number): Token | undefined;
	/** When it is worth asking again, unless a token is settled or given back, or more are reported, before; now where there is one. */
	nextAt(nowMs: number): number;
	/** Calls the listener when there may be more tokens for another reason than those of {@link nextAt}. */
	onMore(listener: () => void): void;
	stop(): void;
}
