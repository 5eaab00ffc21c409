// The shape of what a client sends under each operation, checked before anything acts on it. Unknown keys are let through,
// as Discord lets them. Discord: Gateway Events, "Send Events".
import { safelyParsed } from '@shardctl/core';
import { z } from 'zod';
import { op } from './opcodes.js';

/** Ids come as strings, and from some clients as numbers. */
const snowflake = z.union([z.string().regex(/^\d{1,20}$/), z.int().nonnegative().transform(String)]);
const presence = z.looseObject({
	since: z.number().nullish(),
	activities: z
		.array(z.looseObject({ name: z.string() }))
		.max(100)
		.nullish(),
	status: z.string(),
	afk: z.boolean().nullish(),
});

const identify = z.looseObject({
	token: z.string(),
	properties: z.record(z.string(), z.unknown()),
	compress: z.boolean().nullish(),
	large_threshold: z.int().min(50).max(250).nullish(),
	shard: z.tuple([z.int(), z.int()]).nullish(),
	presence: presence.nullish(),
	intents: z.number(),
	capabilities: z.int().nullish(),
});

const resume = z.looseObject({ token: z.string(), session_id: z.string(), seq: z.int().nonnegative() });

const voiceState = z.looseObject({
	guild_id: snowflake,
	channel_id: snowflake.nullable(),
	self_mute: z.boolean().optional(),
	self_deaf: z.boolean().optional(),
});

const guildMembers = z
	.looseObject({
		guild_id: z.union([snowflake, z.tuple([snowflake]).transform(([id]) => id)]),
		query: z.string().optional(),
		limit: z.int().nonnegative().optional(),
		presences: z.boolean().nullish(),
		user_ids: z.union([snowflake.transform((id) => [id]), z.array(snowflake)]).optional(),
		nonce: z.string().nullish(),
	})
	.refine((request) => request.user_ids !== undefined || (request.query !== undefined && request.limit !== undefined));

const soundboardSounds = z.looseObject({ guild_ids: z.array(snowflake) });
const channelInfo = z.looseObject({ guild_id: snowflake, fields: z.array(z.enum(['status', 'voice_start_time'])) });
// Before the first event discord.js 14.9 and older may pass -1.
const heartbeat = z
	.int()
	.nullish()
	.transform((seq) => (typeof seq === 'number' && seq < 0 ? null : seq));

export type IdentifyPayload = z.infer<typeof identify>;
export type ResumePayload = z.infer<typeof resume>;
export type PresencePayload = z.infer<typeof presence>;
export type VoiceStatePayload = z.infer<typeof voiceState>;
export type GuildMembersPayload = z.infer<typeof guildMembers>;
export type SoundboardSoundsPayload = z.infer<typeof soundboardSounds>;
export type ChannelInfoPayload = z.infer<typeof channelInfo>;

/** What a client asked for, checked. */
export type ClientOperation =
	| { op: typeof op.heartbeat; d: number | null | undefined }
	| { op: typeof op.identify; d: IdentifyPayload }
	| { op: typeof op.resume; d: ResumePayload }
	| ClientRequest;

/** The operations of an identified session that concern the world behind the gateway. */
export type ClientRequest =
	| { op: typeof op.presenceUpdate; d: PresencePayload }
	| { op: typeof op.voiceStateUpdate; d: VoiceStatePayload }
	| { op: typeof op.requestGuildMembers; d: GuildMembersPayload }
	| { op: typeof op.requestSoundboardSounds; d: SoundboardSoundsPayload }
	| { op: typeof op.requestChannelInfo; d: ChannelInfoPayload };

const schemas: ReadonlyMap<number, z.ZodType> = new Map<number, z.ZodType>([
	[op.heartbeat, heartbeat],
	[op.identify, identify],
	[op.resume, resume],
	[op.presenceUpdate, presence],
	[op.voiceStateUpdate, voiceState],
	[op.requestGuildMembers, guildMembers],
	[op.requestSoundboardSounds, soundboardSounds],
	[op.requestChannelInfo, channelInfo],
]);

/** Checks the data of a known operation; a problem says where it is wrong. */
export function parseClientOperation(opcode: number, d: unknown): { operation: ClientOperation } | { problem: string } {
	const schema = schemas.get(opcode);
	const parsed = schema && safelyParsed(schema, d);
	if (!parsed) return { problem: `op ${opcode}` };
	if (parsed.success) return { operation: { op: opcode, d: parsed.data } as ClientOperation };
	const [issue] = parsed.error.issues;
	return { problem: `op ${opcode}, ${issue?.path.join('.') || 'd'}: ${issue?.message}` };
}
