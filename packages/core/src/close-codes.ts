// The gateway's close codes as one table: what each means, whether Discord wants the client to reconnect, and whether the session
// survives. Discord: Opcodes and Status Codes, "Gateway Close Event Codes".

export interface CloseCodeMeaning {
	/** Discord's text, sent as the close reason. */
	reason: string;
	/** Whether a client should reconnect. */
	reconnect: boolean;
	/** Whether the session can be resumed after the server closed with this code. */
	keepsSession: boolean;
	/** For codes without a reconnect: the same IDENTIFY would be refused again for this reason. */
	fatal?: string;
}

export const closeCodes = {
	4000: { reason: 'Unknown error.', reconnect: true, keepsSession: true },
	4001: { reason: 'Unknown opcode.', reconnect: true, keepsSession: true },
	4002: { reason: 'Error while decoding payload.', reconnect: true, keepsSession: true },
	4003: { reason: 'Not authenticated.', reconnect: true, keepsSession: false },
	4004: { reason: 'Authentication failed.', reconnect: false, keepsSession: false, fatal: 'the token is not valid' },
	4005: { reason: 'Already authenticated.', reconnect: true, keepsSession: true },
	4007: { reason: 'Invalid seq.', reconnect: true, keepsSession: false },
	4008: { reason: 'Rate limited.', reconnect: true, keepsSession: true },
	4009: { reason: 'Session timed out.', reconnect: true, keepsSession: false },
	4010: { reason: 'Invalid shard.', reconnect: false, keepsSession: false, fatal: 'the shard id or shard count is not valid' },
	4011: {
		reason: 'Sharding required.',
		reconnect: false,
		keepsSession: false,
		fatal: 'the session would hold too many guilds: more shards are required',
	},
	4012: { reason: 'Invalid API version.', reconnect: false, keepsSession: false, fatal: 'the gateway version is not valid' },
	4013: { reason: 'Invalid intent(s).', reconnect: false, keepsSession: false, fatal: 'an intent is not valid' },
	4014: {
		reason: 'Disallowed intent(s).',
		reconnect: false,
		keepsSession: false,
		fatal: 'a privileged intent is not enabled for this bot in the developer portal',
	},
} as const satisfies Record<number, CloseCodeMeaning>;

export type CloseCode = keyof typeof closeCodes;

/** Close codes after which no reconnect helps, with the reason. */
export const fatalCloseCodes: ReadonlyMap<number, string> = new Map(
	Object.entries(closeCodes).flatMap(([code, meaning]) => ('fatal' in meaning ? [[Number(code), meaning.fatal] as const] : [])),
);

/** What a code means; codes outside Discord's table (1001, 4200, …) keep the session. */
export function closeCodeMeaning(code: number): CloseCodeMeaning {
	return code in closeCodes ? closeCodes[code as CloseCode] : { reason: '', reconnect: true, keepsSession: true };
}

/**
 * Whether a close by the client ends its session: only 1000 and 1001 do; any other code, or none, leaves it resumable.
 * Discord: Gateway, "Initiating a Disconnect".
 */
export function clientCloseEndsSession(code: number): boolean {
	return code === 1000 || code === 1001;
}
