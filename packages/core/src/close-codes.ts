// The gateway's close codes as one table: what each means, whether Discord wants the client to reconnect, and whether the session
// survives. Discord: Opcodes and Status Codes, "Gateway Close Event Codes".
import { describeShards } from './shards.js';

export interface CloseCodeMeaning {
	/** Discord's text, sent as the close reason. */
	reason: string;
	/** Whether a client should reconnect. */
	reconnect: boolean;
	/** Whether the session can be resumed after the server closed with this code. */
	keepsSession: boolean;
	/** For codes without a reconnect: the same IDENTIFY would be refused again for this reason. */
	fatal?: string;
	/** For the same codes: what the operator can do. */
	remedy?: string;
}

export const closeCodes = {
	4000: { reason: 'Unknown error.', reconnect: true, keepsSession: true },
	4001: { reason: 'Unknown opcode.', reconnect: true, keepsSession: true },
	4002: { reason: 'Error while decoding payload.', reconnect: true, keepsSession: true },
	4003: { reason: 'Not authenticated.', reconnect: true, keepsSession: false },
	4004: {
		reason: 'Authentication failed.',
		reconnect: false,
		keepsSession: false,
		fatal: 'the token is not valid',
		remedy: 'copy the token again from https://discord.com/developers/applications and start the fleet with it',
	},
	4005: { reason: 'Already authenticated.', reconnect: true, keepsSession: true },
	4007: { reason: 'Invalid seq.', reconnect: true, keepsSession: false },
	4008: { reason: 'Rate limited.', reconnect: true, keepsSession: true },
	4009: { reason: 'Session timed out.', reconnect: true, keepsSession: false },
	4010: {
		reason: 'Invalid shard.',
		reconnect: false,
		keepsSession: false,
		fatal: 'the shard id or shard count is not valid',
		remedy: 'check --shards and --shard-list; a large bot needs a multiple of the number that Discord gives it',
	},
	4011: {
		reason: 'Sharding required.',
		reconnect: false,
		keepsSession: false,
		fatal: 'the session would hold too many guilds: more shards are required',
		remedy: 'start with more shards: --shards auto, or --gateway-sessions auto',
	},
	4012: {
		reason: 'Invalid API version.',
		reconnect: false,
		keepsSession: false,
		fatal: 'the gateway version is not valid',
		remedy: "update shardctl and the bot's library",
	},
	4013: {
		reason: 'Invalid intent(s).',
		reconnect: false,
		keepsSession: false,
		fatal: 'an intent is not valid',
		remedy: "correct the intents that the bot's client asks for",
	},
	4014: {
		reason: 'Disallowed intent(s).',
		reconnect: false,
		keepsSession: false,
		fatal: 'a privileged intent is not enabled for this bot in the developer portal',
		remedy: "enable it at https://discord.com/developers/applications under Bot, or remove it from the client's intents",
	},
} as const satisfies Record<number, CloseCodeMeaning>;

export type CloseCode = keyof typeof closeCodes;

/** Close codes after which no reconnect helps, with the reason. */
export const fatalCloseCodes: ReadonlyMap<number, string> = new Map(
	Object.entries(closeCodes).flatMap(([code, meaning]) => ('fatal' in meaning ? [[Number(code), meaning.fatal] as const] : [])),
);

/** Why a close is final and what the operator can do; undefined where a reconnect may help. */
export function fatalClose(code: number): { reason: string; remedy: string } | undefined {
	const meaning = closeCodeMeaning(code);
	return meaning.fatal === undefined ? undefined : { reason: meaning.fatal, remedy: meaning.remedy ?? '' };
}

/** `4014: a privileged intent is …; enable it …`: a final close with its reason and its remedy. */
export function describeFatalClose(code: number | undefined): string {
	const known = code === undefined ? undefined : fatalClose(code);
	return known === undefined ? `${code}` : `${code}: ${known.reason}; ${known.remedy}`;
}

/** `Discord refused shard 2 (4004): the token is not valid; copy …`: shards that Discord does not serve, with the remedy. */
export function describeRefusal(shardIds: readonly number[], code: number): string {
	const { reason, remedy } = fatalClose(code) ?? { reason: 'the reason is not known', remedy: 'see "shardctl events"' };
	return `Discord refused ${describeShards(shardIds)} (${code}): ${reason}; ${remedy}`;
}

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
