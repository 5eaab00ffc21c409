// The gateway's intents: their bits, their names, and which of them Discord must have granted.
// Discord: Gateway, "Gateway Intents" and "List of Intents".

export const intentBits = {
	GUILDS: 1 << 0,
	GUILD_MEMBERS: 1 << 1,
	GUILD_MODERATION: 1 << 2,
	GUILD_EXPRESSIONS: 1 << 3,
	GUILD_INTEGRATIONS: 1 << 4,
	GUILD_WEBHOOKS: 1 << 5,
	GUILD_INVITES: 1 << 6,
	GUILD_VOICE_STATES: 1 << 7,
	GUILD_PRESENCES: 1 << 8,
	GUILD_MESSAGES: 1 << 9,
	GUILD_MESSAGE_REACTIONS: 1 << 10,
	GUILD_MESSAGE_TYPING: 1 << 11,
	DIRECT_MESSAGES: 1 << 12,
	DIRECT_MESSAGE_REACTIONS: 1 << 13,
	DIRECT_MESSAGE_TYPING: 1 << 14,
	MESSAGE_CONTENT: 1 << 15,
	GUILD_SCHEDULED_EVENTS: 1 << 16,
	AUTO_MODERATION_CONFIGURATION: 1 << 20,
	AUTO_MODERATION_EXECUTION: 1 << 21,
	GUILD_MESSAGE_POLLS: 1 << 24,
	DIRECT_MESSAGE_POLLS: 1 << 25,
} as const;

export type IntentName = keyof typeof intentBits;

/** Every bit that exists. */
export const allIntents: number = Object.values(intentBits).reduce((bits, bit) => bits | bit, 0);

/**
 * The intents that a bot must have been granted, with the application flags that say so (the second flag: below 100 guilds).
 * Discord: Application, "Application Flags".
 */
export const privilegedIntents = [
	{ name: 'GUILD_MEMBERS', bit: intentBits.GUILD_MEMBERS, flags: (1 << 14) | (1 << 15) },
	{ name: 'GUILD_PRESENCES', bit: intentBits.GUILD_PRESENCES, flags: (1 << 12) | (1 << 13) },
	{ name: 'MESSAGE_CONTENT', bit: intentBits.MESSAGE_CONTENT, flags: (1 << 18) | (1 << 19) },
] as const satisfies readonly { name: IntentName; bit: number; flags: number }[];

/** The bits of all privileged intents. */
export const privilegedIntentBits: number = privilegedIntents.reduce((bits, { bit }) => bits | bit, 0);

/** Intents for people: `GUILDS, MESSAGE_CONTENT`; a bit without a name is written as its number, no bit as `none`. */
export function formatIntents(intents: number): string {
	const named = Object.entries(intentBits).filter(([, bit]) => (intents & bit) !== 0);
	const unnamed = intents & ~allIntents;
	return [...named.map(([name]) => name), ...(unnamed === 0 ? [] : [`unknown bits ${unnamed}`])].join(', ') || 'none';
}
