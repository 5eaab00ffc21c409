// A guild as Discord sends it, to measure the cost of a shard's state.

/** An id for each pair; their digits have little in common, like those of real ones. */
export function id(kind, index) {
	return String(10n ** 18n + (((BigInt(kind) * 10n ** 9n + BigInt(index)) * 11_400_714_819_323_198_487n) % 10n ** 18n));
}

/** A guild of about 25 kB: names, ids and hashes differ everywhere, so that they compress as badly as real ones. */
export function guildOf(index) {
	const word = (salt) =>
		Math.sin(index * 7919 + salt)
			.toString(36)
			.slice(3, 12);
	const users = Array.from({ length: 30 }, (_, n) => ({
		id: id(100 + n, index * 64 + n),
		username: word(3000 + n),
		global_name: word(4000 + n),
		discriminator: '0',
		avatar: word(5000 + n) + word(6000 + n) + word(7000 + n),
		public_flags: 0,
		avatar_decoration_data: null,
		primary_guild: null,
		collectibles: null,
	}));
	return {
		id: id(500, index),
		name: word(0),
		icon: word(1),
		owner_id: users[0].id,
		features: ['COMMUNITY', 'NEWS'],
		joined_at: '2026-01-01T00:00:00.000000+00:00',
		member_count: 30,
		large: false,
		unavailable: false,
		roles: Array.from({ length: 15 }, (_, n) => ({
			id: id(600 + n, index),
			name: word(1000 + n),
			color: n * 4096,
			colors: { primary_color: n * 4096, secondary_color: null, tertiary_color: null },
			hoist: false,
			position: n,
			permissions: String(104_324_673 + n),
			managed: false,
			mentionable: false,
			flags: 0,
			icon: null,
			unicode_emoji: null,
		})),
		channels: Array.from({ length: 20 }, (_, n) => ({
			id: id(700 + n, index),
			type: n % 4 === 3 ? 2 : 0,
			name: word(2000 + n),
			position: n,
			topic: null,
			nsfw: false,
			parent_id: id(700, index),
			last_message_id: id(800 + n, index),
			rate_limit_per_user: 0,
			flags: 0,
			permission_overwrites: [{ id: id(500, index), type: 0, allow: '0', deny: String(1024 + n) }],
		})),
		threads: [],
		members: users.map((user, n) => ({
			user,
			nick: null,
			roles: [id(600 + (n % 15), index)],
			joined_at: new Date(1.6e12 + Math.sin(index * 7919 + n) * 1e11).toISOString(),
			premium_since: null,
			deaf: false,
			mute: false,
			flags: 0,
			pending: false,
			avatar: null,
			banner: null,
			communication_disabled_until: null,
		})),
		presences: users
			.slice(0, 10)
			.map((user) => ({ user: { id: user.id }, status: 'online', activities: [], client_status: { desktop: 'online' } })),
		voice_states: [],
		emojis: [],
		stickers: [],
		soundboard_sounds: [],
		stage_instances: [],
		guild_scheduled_events: [],
	};
}
