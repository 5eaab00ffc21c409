// Where the tokens of the global limit are from: the window of this process, or later a lease of a limit that several machines share.

/** The right to send one request to Discord. */
export interface Token {
	/** Discord has answered the request, or will never. */
	settle(nowMs: number): void;
	/** The request was not sent. */
	giveBack(): void;
}

export interface TokenSource {
	/** Undefined where there is none now. */
	take(nowMs: number): Token | undefined;
	/** When it is worth asking again, unless a token is settled or given back before; now where there is one. */
	nextAt(nowMs: number): number;
}
