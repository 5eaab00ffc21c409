// The events of the gateway's benchmark: as Discord sends them, of members of the guilds, each with its creation time.

/** A guild's events are from this many of its members. */
const actors = 8;

export function eventMaker(world) {
	const guilds = [...world.guilds.ids()].map((id) => {
		const guild = world.guilds.read(id);
		return {
			id,
			channelId: [...guild.channels.values()].find(({ type }) => type === 0).id,
			voiceChannelId: [...guild.channels.values()].find(({ type }) => type === 2)?.id ?? null,
			members: Array.from({ length: actors }, (_, n) => guild.members.stretchMember(n % guild.members.stretchSize)),
		};
	});
	let n = 0;

	const scene = () => {
		n++;
		const guild = guilds[n % guilds.length];
		return { guild, member: guild.members[n % actors] };
	};
	const nonce = () => String(process.hrtime.bigint());
	const id = () => String(10n ** 18n + BigInt(n));
	/** `member` as messages carry it. */
	const memberOf = ({ user: _user, ...member }) => member;

	const makers = {
		small() {
			const { guild, member } = scene();
			const { id: userId, username } = member.user;
			return event('MESSAGE_CREATE', guild, userId, {
				id: id(),
				channel_id: guild.channelId,
				guild_id: guild.id,
				author: { id: userId, username },
				content: 'a small message',
				timestamp: '2026-01-01T00:00:00.000Z',
				mentions: [],
				attachments: [],
				embeds: [],
				nonce: nonce(),
			});
		},
		message() {
			const { guild, member } = scene();
			return event('MESSAGE_CREATE', guild, member.user.id, {
				type: 0,
				tts: false,
				timestamp: '2026-01-01T00:00:00.000000+00:00',
				pinned: false,
				nonce: nonce(),
				mentions: [],
				mention_roles: [],
				mention_everyone: false,
				member: memberOf(member),
				id: id(),
				flags: 0,
				embeds: [],
				edited_timestamp: null,
				content: 'has anybody seen the new release notes? they are pinned in the other channel',
				components: [],
				channel_type: 0,
				channel_id: guild.channelId,
				author: member.user,
				attachments: [],
				guild_id: guild.id,
			});
		},
		typing() {
			const { guild, member } = scene();
			return event('TYPING_START', guild, member.user.id, {
				user_id: member.user.id,
				timestamp: 1_767_225_600,
				member,
				channel_id: guild.channelId,
				guild_id: guild.id,
			});
		},
		reaction() {
			const { guild, member } = scene();
			return event('MESSAGE_REACTION_ADD', guild, member.user.id, {
				user_id: member.user.id,
				type: 0,
				message_id: id(),
				message_author_id: guild.members[0].user.id,
				member,
				emoji: { name: '👍', id: null },
				channel_id: guild.channelId,
				burst: false,
				guild_id: guild.id,
			});
		},
		presence() {
			const { guild, member } = scene();
			const status = n % 2 ? 'online' : 'idle';
			return event('PRESENCE_UPDATE', guild, member.user.id, {
				user: { id: member.user.id },
				status,
				guild_id: guild.id,
				client_status: { desktop: status },
				activities: [],
			});
		},
		memberUpdate() {
			const { guild, member } = scene();
			return event('GUILD_MEMBER_UPDATE', guild, member.user.id, { ...member, nick: `nick ${n % 100}`, guild_id: guild.id });
		},
		voice() {
			const { guild, member } = scene();
			return event('VOICE_STATE_UPDATE', guild, member.user.id, {
				member,
				user_id: member.user.id,
				suppress: false,
				session_id: '000000000000000000000000e3a4d7ff',
				self_video: false,
				self_mute: n % 2 === 0,
				self_deaf: false,
				request_to_speak_timestamp: null,
				mute: false,
				guild_id: guild.id,
				deaf: false,
				channel_id: guild.voiceChannelId,
			});
		},
	};
	const mix = [
		...Array(50).fill(makers.message),
		...Array(22).fill(makers.typing),
		...Array(8).fill(makers.reaction),
		...Array(10).fill(makers.presence),
		...Array(5).fill(makers.memberUpdate),
		...Array(5).fill(makers.voice),
	];
	// 37 and 100 have no common factor: kinds alternate, and all of them occur.
	return { small: makers.small, message: makers.message, mixed: () => mix[(n * 37) % mix.length]() };
}

/** In the form of the simulated world. */
function event(type, guild, userId, data) {
	return { type, guildId: guild.id, userId, data };
}
