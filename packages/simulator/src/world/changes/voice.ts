// Who is in which voice channel.

import type { VoiceState } from '../model.js';
import { hash } from '../random.js';
import type { World } from '../world.js';

export interface VoiceMove {
	guildId: string;
	userId: string;
	/** `null` leaves. */
	channelId: string | null;
	state?: Record<string, unknown>;
	/** Gets the address of the voice server when the bot itself joins. */
	onServer?: (server: { token: string; guild_id: string; endpoint: string | null }) => void;
}

/** Joins, moves to or leaves a voice channel. Nothing happens where the guild, the channel or the member is not there. */
export function moveInVoice(
	world: World,
	{ guildId, userId, channelId, state = {}, onServer }: VoiceMove,
): VoiceState | undefined {
	const guild = world.guilds.edit(guildId);
	const member = guild?.member(userId);
	if (!guild || !member || (channelId !== null && !guild.channels.has(channelId))) return undefined;
	const before = guild.voiceStates.get(userId);
	if (channelId === null && !before) return undefined;
	const session = hash(world.seed, 40, Number(BigInt(userId) & 0xffffffn))
		.toString(16)
		.padStart(32, '0');
	const after: VoiceState = {
		deaf: false,
		mute: false,
		self_deaf: false,
		self_mute: false,
		self_video: false,
		suppress: false,
		request_to_speak_timestamp: null,
		...before,
		...state,
		guild_id: guildId,
		user_id: userId,
		session_id: before?.session_id ?? session,
		channel_id: channelId,
	};
	if (channelId === null) guild.voiceStates.delete(userId);
	else guild.voiceStates.set(userId, after);
	world.emit({ type: 'VOICE_STATE_UPDATE', guildId, data: { ...after, member }, userId, inGuildState: true });
	if (channelId !== null) onServer?.({ token: session.slice(0, 16), guild_id: guildId, endpoint: 'voice.invalid:443' });
	return after;
}

/** The short status text of a voice channel, or since when people talk in it. */
export function setVoiceChannelInfo(
	world: World,
	{
		guildId,
		channelId,
		field,
		value,
	}: { guildId: string; channelId: string; field: 'status' | 'voice_start_time'; value: string | null },
): boolean {
	const channel = world.guilds.edit(guildId)?.channels.get(channelId);
	if (!channel) return false;
	channel[field] = value;
	const type = field === 'status' ? 'VOICE_CHANNEL_STATUS_UPDATE' : 'VOICE_CHANNEL_START_TIME_UPDATE';
	world.emit({ type, guildId, data: { id: channelId, guild_id: guildId, [field]: value }, inGuildState: true });
	return true;
}
