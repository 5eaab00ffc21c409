// Distinguishes the token of the fleet from that of another bot whose client runs in the same process.

/**
 * Returns the function that compares tokens, with or without their prefix. On a simulator, which accepts any token, `token` is undefined,
 * and the first token that a client uses is the fleet's.
 */
export function ownToken(token: string | undefined): (other: string | null | undefined) => boolean {
	let own = token;
	return (other) => {
		const bare = other?.replace(/^(Bot|Bearer)\s*/i, '');
		if (!bare) return false;
		own ??= bare;
		return bare === own;
	};
}
