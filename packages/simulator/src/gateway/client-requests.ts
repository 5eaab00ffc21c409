// Handles what a live session requests: presence, voice, member lists, sounds, channel info (operations 3, 4, 8, 31, 43).
// Replies go to the session that asked. Discord: Gateway Events, "Send Events".
import {
	type ChannelInfoPayload,
	type ClientRequest,
	EncodedDispatch,
	type GatewaySession,
	op,
} from '@shardctl/gateway-protocol';
import { moveInVoice } from '../world/changes/voice.js';
import { channelTypes } from '../world/model.js';
import type { World } from '../world/world.js';
import type { MemberRequests } from './member-requests.js';

export class ClientRequests {
	readonly #world: World;
	readonly #members: MemberRequests;

	constructor(world: World, members: MemberRequests) {
		this.#world = world;
		this.#members = members;
	}

	handle(session: GatewaySession, request: ClientRequest): void {
		switch (request.op) {
			case op.presenceUpdate:
				session.presence = request.d;
				break;
			case op.voiceStateUpdate:
				moveInVoice(this.#world, {
					guildId: request.d.guild_id,
					userId: this.#world.bot.id,
					channelId: request.d.channel_id,
					state: { self_mute: request.d.self_mute ?? false, self_deaf: request.d.self_deaf ?? false },
					onServer: (server) => session.dispatch(EncodedDispatch.of('VOICE_SERVER_UPDATE', server)),
				});
				break;
			case op.requestGuildMembers:
				this.#members.handle(session, request.d);
				break;
			case op.requestSoundboardSounds:
				for (const guildId of request.d.guild_ids) {
					if (!this.#world.guilds.has(guildId)) continue;
					session.dispatch(EncodedDispatch.of('SOUNDBOARD_SOUNDS', { guild_id: guildId, soundboard_sounds: [] }));
				}
				break;
			case op.requestChannelInfo:
				this.#channelInfo(session, request.d);
				break;
		}
	}

	// Only the requested fields, and only for channels that have one of them.
	#channelInfo(session: GatewaySession, { guild_id: guildId, fields }: ChannelInfoPayload): void {
		const guild = this.#world.guilds.read(guildId);
		if (!guild) return;
		const channels = [...guild.channels.values()]
			.filter((channel) => channel.type === channelTypes.voice)
			.map((channel) => {
				const known = fields.filter((field) => channel[field] !== undefined && channel[field] !== null);
				return { id: channel.id, ...Object.fromEntries(known.map((field) => [field, channel[field]])) };
			})
			.filter((info) => Object.keys(info).length > 1);
		session.dispatch(EncodedDispatch.of('CHANNEL_INFO', { guild_id: guildId, channels }));
	}
}
