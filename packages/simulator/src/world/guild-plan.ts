// Guild number i of the seed: its id, its size and all that is in it, from nothing but the seed; and back from an id to i.
// Ids are a prime number of milliseconds apart, so that guilds spread evenly over any number of shards.

import { Guild } from './guild.js';
import { MemberDirectory, plainMember } from './members.js';
import { type Channel, channelTypes, type Role, type User, type VoiceState } from './model.js';
import { fraction, hash, pick } from './random.js';
import { snowflake, snowflakeDate, snowflakeTime } from './snowflake.js';
import type { Population } from './users.js';
import { adjectives, channelNames, guildKinds, nouns, roleNames, voiceNames } from './words.js';

/** Guilds of the seed are made from 2018 on, this far apart. */
const firstGuildAtMs = 100_000_000_000;
const guildGapMs = 1_000_003;

/** Sizes of guilds: most are small, a few are very large. */
export interface GuildSizes {
	/** Members of the smallest guilds. */
	min: number;
	/** The most members that a guild has. */
	max: number;
	/** The exponent of the tail; the smaller, the more large guilds (1 to 3). */
	tail: number;
}

export interface GuildPlanOptions {
	seed: number;
	sizes: GuildSizes;
	population: Population;
	/** The bot's own user. */
	bot: User;
	/** Bits of the role that the bot has in every guild. */
	botPermissions: string;
}

const everyonePermissions = '1071698529857';

export class GuildPlan {
	readonly #options: GuildPlanOptions;
	readonly #baseMs: number;
	/** Those that were asked for, because BigInt is slow and they are asked for with every event. */
	readonly #ids: string[] = [];

	constructor(options: GuildPlanOptions) {
		this.#options = options;
		// Different seeds put the guilds on different shards.
		this.#baseMs = firstGuildAtMs + (hash(options.seed, 10) % 100_000);
	}

	idOf(index: number): string {
		let id = this.#ids[index];
		if (id === undefined) {
			id = snowflake(this.timeOf(index), hash(this.#options.seed, 11, index));
			this.#ids[index] = id;
		}
		return id;
	}

	/** The number of the guild in which this id (of a guild, or of a channel or role of the seed) was made. */
	indexNear(id: string): number | undefined {
		const time = snowflakeTime(id);
		if (time === undefined || time < this.#baseMs) return undefined;
		return Math.floor((time - this.#baseMs) / guildGapMs);
	}

	memberCountOf(index: number): number {
		const { seed, sizes } = this.#options;
		const size = Math.floor(sizes.min / (1 - fraction(seed, 12, index)) ** (1 / sizes.tail));
		return Math.max(1, Math.min(size, sizes.max, this.#options.population.size));
	}

	build(index: number): Guild {
		const { seed, population, bot } = this.#options;
		const id = this.idOf(index);
		const count = this.memberCountOf(index);
		const people = this.#roles(index, id);
		const roleIds = people.slice(1).map((role) => role.id);
		const botRole = this.#botRole(this.#partId(index, 2000), people.length);
		const roles = [...people, botRole];
		const from = hash(seed, 13, index) % population.size;
		const members = new MemberDirectory({ population, from, count, guildId: id, seed, roleIds });
		const channels = this.#channels(index, count, id);
		const text = channels.find((channel) => channel.type === channelTypes.text);
		return new Guild({
			fields: {
				id,
				name: `The ${capital(pick(adjectives, seed, 14, index))} ${capital(pick(nouns, seed, 15, index))} ${pick(guildKinds, seed, 16, index)}`,
				icon: null,
				splash: null,
				discovery_splash: null,
				owner_id: population.idOf(from),
				afk_channel_id: null,
				afk_timeout: 300,
				verification_level: 1,
				default_message_notifications: 1,
				explicit_content_filter: 0,
				features: count > 1000 ? ['COMMUNITY', 'NEWS'] : [],
				mfa_level: 0,
				application_id: null,
				system_channel_id: text?.id ?? null,
				system_channel_flags: 0,
				rules_channel_id: null,
				max_presences: null,
				max_members: 25_000_000,
				vanity_url_code: null,
				description: null,
				banner: null,
				premium_tier: 0,
				premium_subscription_count: 0,
				preferred_locale: 'en-US',
				public_updates_channel_id: null,
				max_video_channel_users: 25,
				max_stage_video_channel_users: 50,
				nsfw_level: 0,
				premium_progress_bar_enabled: false,
				safety_alerts_channel_id: null,
				incidents_data: null,
			},
			roles,
			channels,
			emojis: [],
			voiceStates: this.#voiceStates(index, id, channels, members),
			members,
			bot: plainMember(bot, snowflakeDate(id), [botRole.id]),
		});
	}

	/** A guild like number 0 of the seed, but with an id and fields of its own: for guilds that the bot joins later. */
	buildAs(id: string, fields: Record<string, unknown>): Guild {
		const { seed, population, bot } = this.#options;
		const made = snowflakeTime(id) ?? 0;
		const name = typeof fields.name === 'string' ? fields.name : `Guild ${id}`;
		const model = this.build(hash(seed, 27, made) % 1000);
		const everyone: Role = { ...([...model.roles.values()][0] as Role), id };
		const botRole = this.#botRole(snowflake(made + 5000, 1), 1);
		const renumbered = [...model.channels.values()].map((channel, n) => ({
			...channel,
			guild_id: id,
			id: snowflake(made + 1 + n, n),
		}));
		const categories = new Map([...model.channels.keys()].map((old, n) => [old, (renumbered[n] as Channel).id]));
		for (const channel of renumbered) if (channel.parent_id) channel.parent_id = categories.get(channel.parent_id) ?? null;
		const from = hash(seed, 28, made) % population.size;
		const count = Math.min(population.size, Math.max(1, Number(fields.member_count ?? 10) - 1));
		const text = renumbered.find((channel) => channel.type === channelTypes.text);
		return new Guild({
			fields: { ...model.fields, id, name, owner_id: population.idOf(from), system_channel_id: text?.id ?? null },
			roles: [everyone, botRole],
			channels: renumbered,
			emojis: [],
			voiceStates: [],
			members: new MemberDirectory({ population, from, count, guildId: id, seed, roleIds: [] }),
			bot: plainMember(bot, snowflakeDate(id), [botRole.id]),
		});
	}

	/** Ms since Discord's epoch; what the shard formula sees. */
	timeOf(index: number): number {
		return this.#baseMs + index * guildGapMs;
	}

	/** Ids of things in the guild: some time after the guild, before the next one. */
	#partId(index: number, part: number): string {
		return snowflake(this.timeOf(index) + 1 + part, hash(this.#options.seed, 17, index, part));
	}

	/** The role that Discord makes for a bot when it joins. On top, so that its permissions reach every member. */
	#botRole(id: string, position: number): Role {
		const { bot, botPermissions } = this.#options;
		return {
			...plainRole({ id, name: bot.username, position, permissions: botPermissions }),
			managed: true,
			tags: { bot_id: bot.id },
		};
	}

	#roles(index: number, guildId: string): Role[] {
		const { seed } = this.#options;
		const extra = 1 + (hash(seed, 18, index) % 5);
		const role = (id: string, name: string, position: number): Role => ({
			...plainRole({ id, name, position, permissions: position === extra ? '8' : everyonePermissions }),
			color: position === 0 ? 0 : hash(seed, 19, index, position) & 0xffffff,
			colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
			hoist: position > 1,
		});
		const others = Array.from({ length: extra }, (_, n) =>
			role(this.#partId(index, 1000 + n), roleNames[extra - 1 - n] as string, n + 1),
		);
		return [role(guildId, '@everyone', 0), ...others];
	}

	#channels(index: number, members: number, guildId: string): Channel[] {
		const { seed } = this.#options;
		const channels: Channel[] = [];
		const add = (type: number, name: string, parentId: string | null, more: object = {}): Channel => {
			const channel: Channel = {
				id: this.#partId(index, channels.length),
				type,
				guild_id: guildId,
				name,
				position: channels.length,
				parent_id: parentId,
				permission_overwrites: [],
				flags: 0,
				...more,
			};
			channels.push(channel);
			return channel;
		};
		const textual = { topic: null, nsfw: false, last_message_id: null, rate_limit_per_user: 0, last_pin_timestamp: null };
		const textCount = Math.min(channelNames.length, 2 + Math.floor(Math.log2(members)));
		const text = add(channelTypes.category, 'Text channels', null);
		for (let n = 0; n < textCount; n++) add(channelTypes.text, channelNames[n] as string, text.id, textual);
		const voice = add(channelTypes.category, 'Voice channels', null);
		const voiceCount = 1 + (hash(seed, 20, index) % (members > 100 ? voiceNames.length : 2));
		const audible = {
			bitrate: 64_000,
			user_limit: 0,
			rtc_region: null,
			nsfw: false,
			last_message_id: null,
			rate_limit_per_user: 0,
		};
		for (let n = 0; n < voiceCount; n++) add(channelTypes.voice, voiceNames[n] as string, voice.id, audible);
		if (members > 200) {
			const general = channels[1] as Channel;
			const thread = add(channelTypes.publicThread, `about the ${pick(nouns, seed, 21, index)}`, general.id, {
				owner_id: this.#options.population.idOf(hash(seed, 13, index) % this.#options.population.size),
				last_message_id: null,
				message_count: 0,
				member_count: 1,
				total_message_sent: 0,
				rate_limit_per_user: 0,
			});
			thread.thread_metadata = {
				archived: false,
				auto_archive_duration: 4320,
				archive_timestamp: snowflakeDate(thread.id),
				locked: false,
				create_timestamp: snowflakeDate(thread.id),
			};
		}
		return channels;
	}

	#voiceStates(index: number, guildId: string, channels: readonly Channel[], members: MemberDirectory): VoiceState[] {
		const { seed } = this.#options;
		const rooms = channels.filter((channel) => channel.type === channelTypes.voice);
		const talkers = members.count < 20 ? 0 : Math.min(25, hash(seed, 22, index) % (2 + Math.floor(Math.log2(members.count))));
		return Array.from({ length: Math.min(talkers, members.count) }, (_, n) => ({
			guild_id: guildId,
			channel_id: pick(rooms, seed, 23, index, n).id,
			user_id: members.stretchMember(n).user.id,
			session_id: hash(seed, 24, index, n).toString(16).padStart(32, '0'),
			deaf: false,
			mute: false,
			self_deaf: fraction(seed, 25, index, n) < 0.1,
			self_mute: fraction(seed, 26, index, n) < 0.4,
			self_video: false,
			suppress: false,
			request_to_speak_timestamp: null,
		}));
	}
}

function capital(word: string): string {
	return word.charAt(0).toUpperCase() + word.slice(1);
}

function plainRole({ id, name, position, permissions }: Pick<Role, 'id' | 'name' | 'position' | 'permissions'>): Role {
	return {
		id,
		name,
		description: null,
		color: 0,
		colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
		hoist: false,
		icon: null,
		unicode_emoji: null,
		position,
		permissions,
		managed: false,
		mentionable: false,
		flags: 0,
	};
}
