// A small Discord: guilds with members, channels and all the rest, and for every kind of change the dispatches that Discord sends for
// it. The caller's numbers decide what happens, so that a test can shrink a stream to the few events that matter.
import { without } from '../../src/state/merge.js';
import type { Dispatch, RawObject } from '../../src/state/raw.js';

interface WorldGuild {
	id: string;
	/** Large guilds list only those members in GUILD_CREATE who are online or speak. */
	large: boolean;
	joined: boolean;
	away: boolean;
	attributes: RawObject;
	members: Map<string, RawObject>;
	/** The members the bot knows of. */
	known: Set<string>;
	roles: Map<string, RawObject>;
	channels: Map<string, RawObject>;
	threads: Map<string, RawObject>;
	presences: Map<string, RawObject>;
	voice: Map<string, RawObject>;
	emojis: Map<string, RawObject>;
	stickers: Map<string, RawObject>;
	sounds: Map<string, RawObject>;
	stages: Map<string, RawObject>;
	events: Map<string, RawObject>;
}

const botId = '900000000000000001';
const textTypes = [0, 5];
const allTypes = [0, 2, 4, 5, 13, 15];

/** Turns one list of numbers into choices; when they run out, every choice is the first. */
export class Choices {
	readonly #numbers: readonly number[];
	#at = 0;

	constructor(numbers: readonly number[]) {
		this.#numbers = numbers;
	}

	upTo(count: number): number {
		return count <= 0 ? 0 : (this.#numbers[this.#at++] ?? 0) % count;
	}

	chance(outOf: number): boolean {
		return this.upTo(outOf) === 1;
	}

	of<T>(items: Iterable<T>): T | undefined {
		const all = [...items];
		return all[this.upTo(all.length)];
	}
}

type Happening = (guild: WorldGuild, choose: Choices) => Dispatch[];

export class DiscordWorld {
	readonly #users = new Map<string, RawObject>();
	readonly #guilds: WorldGuild[];
	/** Users the bot ever had data of. */
	readonly #seen = new Set<string>([botId]);
	#lastId = 1_000_000_000_000_000_000n;
	#clock: number;
	#last: Dispatch | undefined;
	readonly #possible: string[];

	/**
	 * @param focus numbers that pick the few kinds of things that happen in this world; none for all
	 * @param now what time it is; a minute passes with everything that happens
	 */
	constructor(focus: readonly number[] = [], now = Date.parse('2026-11-20T12:00:00Z')) {
		this.#clock = now;
		this.#possible = this.#kinds(focus);
		for (let index = 0; index < 8; index++) this.#newUser(`${100_000_000_000_000_000n + BigInt(index)}`, `user${index}`);
		this.#users.set(botId, { ...this.#newUser(botId, 'bot'), bot: true });
		this.#guilds = [0, 1, 2].map((index) => this.#newGuild(index));
		// The bot is not in the last one yet.
		for (const guild of this.#guilds.slice(2)) guild.joined = false;
	}

	/** READY and the guilds, as fresh data, as at a login: of the members, the bot then knows only those that are sent again. */
	login(): Dispatch[] {
		for (const guild of this.#guilds) guild.known.clear();
		const guilds = this.#guilds.filter((guild) => guild.joined);
		const user = { ...this.#user(botId), verified: true, mfa_enabled: false, email: null, flags: 0 };
		return structuredClone([
			{
				t: 'READY',
				d: {
					v: 10,
					user,
					guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
					session_id: 'upstream',
					resume_gateway_url: 'wss://example.invalid',
					shard: [0, 1],
					application: { id: botId, flags: 565_248 },
				},
			},
			...guilds.map((guild) =>
				guild.away ? { t: 'GUILD_DELETE', d: { id: guild.id, unavailable: true } } : this.#create(guild),
			),
		]);
	}

	/** The kinds of things that can happen; a number picks one. */
	#kinds(focus: readonly number[]): string[] {
		const all = Object.keys(this.#happenings);
		return focus.length === 0 ? all : focus.map((number) => all[number % all.length] as string);
	}

	/** Makes one change in the world. The dispatches are fresh data every time. */
	happen(numbers: readonly number[]): Dispatch[] {
		const choose = new Choices(numbers);
		const kind = choose.of(this.#possible) ?? '';
		const guild = choose.of(this.#guilds) as WorldGuild;
		this.#clock += 60_000;
		const dispatches = structuredClone(this.#happenings[kind]?.(guild, choose) ?? []);
		this.#last = dispatches.at(-1) ?? this.#last;
		return dispatches;
	}

	readonly #happenings: Record<string, Happening> = {
		...this.#whenHere({
			guildUpdate: (guild, choose) => {
				guild.attributes = {
					...guild.attributes,
					name: this.#name('guild'),
					afk_timeout: choose.upTo(900),
					premium_tier: choose.upTo(4),
				};
				return [this.#guildUpdate(guild)];
			},
			channelCreate: (guild, choose) => {
				const channel = this.#newChannel(guild, allTypes[choose.upTo(allTypes.length)] as number);
				return [{ t: 'CHANNEL_CREATE', d: { ...channel, guild_id: guild.id } }];
			},
			channelUpdate: (guild, choose) => {
				const channel = choose.of(guild.channels.values());
				if (!channel) return [];
				this.#change(guild.channels, channel, {
					name: this.#name('channel'),
					position: choose.upTo(50),
					permission_overwrites: [{ id: guild.id, type: 0, allow: String(choose.upTo(2048)), deny: '0' }],
				});
				return [this.#channelUpdate(guild, channel.id as string)];
			},
			channelConvert: (guild, choose) => {
				// discord.js loses the threads of a channel that changes its type from its list, so only one without is converted.
				const plain = [...guild.channels.values()].filter(
					(channel) =>
						textTypes.includes(channel.type as number) &&
						![...guild.threads.values()].some((thread) => thread.parent_id === channel.id),
				);
				const channel = choose.of(plain);
				if (!channel) return [];
				this.#change(guild.channels, channel, { type: channel.type === 0 ? 5 : 0 });
				return [this.#channelUpdate(guild, channel.id as string)];
			},
			channelDelete: (guild, choose) => {
				const channel = choose.of(guild.channels.values());
				if (!channel) return [];
				guild.channels.delete(channel.id as string);
				for (const [id, thread] of guild.threads) if (thread.parent_id === channel.id) guild.threads.delete(id);
				return [{ t: 'CHANNEL_DELETE', d: { ...channel, guild_id: guild.id } }];
			},
			pins: (guild, choose) => {
				const channel = this.#textChannel(guild, choose);
				if (!channel) return [];
				channel.last_pin_timestamp = choose.chance(3) ? null : this.#time();
				return [
					{
						t: 'CHANNEL_PINS_UPDATE',
						d: { guild_id: guild.id, channel_id: channel.id, last_pin_timestamp: channel.last_pin_timestamp },
					},
				];
			},
			voiceStatus: (guild, choose) => {
				const channel = this.#channelOfType(guild, choose, [2]);
				if (!channel) return [];
				const status = choose.chance(2) ? null : this.#name('status');
				return [{ t: 'VOICE_CHANNEL_STATUS_UPDATE', d: { guild_id: guild.id, id: channel.id, status } }];
			},
			voiceStart: (guild, choose) => {
				const channel = this.#channelOfType(guild, choose, [2]);
				if (!channel) return [];
				const dispatch = { guild_id: guild.id, id: channel.id, voice_start_time: Math.floor(this.#clock / 1000) };
				return choose.chance(2)
					? [
							{
								t: 'CHANNEL_INFO',
								d: { guild_id: guild.id, channels: [{ id: channel.id, status: null, voice_start_time: null }] },
							},
						]
					: [{ t: 'VOICE_CHANNEL_START_TIME_UPDATE', d: dispatch }];
			},
			threadCreate: (guild, choose) => {
				const parent = this.#channelOfType(guild, choose, [0, 5, 15]);
				if (!parent) return [];
				const thread = this.#newThread(guild, parent, choose);
				return [{ t: 'THREAD_CREATE', d: { ...thread, guild_id: guild.id, newly_created: true } }];
			},
			threadUpdate: (guild, choose) => {
				const thread = choose.of(guild.threads.values());
				if (!thread) return [];
				const metadata = {
					...(thread.thread_metadata as RawObject),
					archived: choose.chance(3),
					archive_timestamp: this.#time(),
				};
				this.#change(guild.threads, thread, { name: this.#name('thread'), thread_metadata: metadata });
				const { member: _, ...update } = guild.threads.get(thread.id as string) as RawObject;
				return [{ t: 'THREAD_UPDATE', d: { ...update, guild_id: guild.id } }];
			},
			threadDelete: (guild, choose) => {
				const thread = choose.of(guild.threads.values());
				if (!thread) return [];
				guild.threads.delete(thread.id as string);
				return [{ t: 'THREAD_DELETE', d: { id: thread.id, guild_id: guild.id, parent_id: thread.parent_id, type: thread.type } }];
			},
			threadListSync: (guild, choose) => {
				const parent = this.#channelOfType(guild, choose, [0, 5, 15]);
				const all = choose.chance(3);
				const active = [...guild.threads.values()].filter((thread) => !(thread.thread_metadata as RawObject).archived);
				const listed = all ? active : active.filter((thread) => thread.parent_id === parent?.id);
				const gone = choose.chance(3) ? listed.shift() : undefined;
				if (gone) guild.threads.delete(gone.id as string);
				const members = listed.flatMap((thread) => (thread.member ? [{ ...(thread.member as RawObject), id: thread.id }] : []));
				const threads = listed.map((thread) => ({ ...without(thread, 'member'), guild_id: guild.id }));
				const which = all ? {} : { channel_ids: parent ? [parent.id] : [] };
				return [{ t: 'THREAD_LIST_SYNC', d: { guild_id: guild.id, ...which, threads, members } }];
			},
			threadMemberUpdate: (guild, choose) => {
				const thread = choose.of([...guild.threads.values()].filter((candidate) => candidate.member));
				if (!thread) return [];
				thread.member = { ...(thread.member as RawObject), flags: choose.upTo(8) };
				return [{ t: 'THREAD_MEMBER_UPDATE', d: { ...(thread.member as RawObject), guild_id: guild.id } }];
			},
			threadMembersUpdate: (guild, choose) => {
				const thread = choose.of(guild.threads.values());
				const user = choose.of([botId, ...guild.known]);
				if (!thread || user === undefined) return [];
				const update: RawObject = { id: thread.id, guild_id: guild.id, member_count: choose.upTo(50) };
				thread.member_count = update.member_count;
				if (choose.chance(2)) {
					if (user === botId) delete thread.member;
					return [{ t: 'THREAD_MEMBERS_UPDATE', d: { ...update, removed_member_ids: [user] } }];
				}
				const member = { id: thread.id, user_id: user, join_timestamp: this.#time(), flags: choose.upTo(8) };
				if (user === botId) thread.member = member;
				const added = { ...member, member: this.#memberWithUser(guild, user), presence: guild.presences.get(user) ?? null };
				return [{ t: 'THREAD_MEMBERS_UPDATE', d: { ...update, added_members: [added] } }];
			},
			roleCreate: (guild) => [{ t: 'GUILD_ROLE_CREATE', d: { guild_id: guild.id, role: this.#newRole(guild) } }],
			roleUpdate: (guild, choose) => {
				const role = choose.of(guild.roles.values());
				if (!role) return [];
				const { tags: _, ...untagged } = role;
				const changed: RawObject = { ...untagged, name: this.#name('role'), permissions: String(choose.upTo(4096)) };
				if (choose.chance(2)) changed.tags = { premium_subscriber: null };
				guild.roles.set(role.id as string, changed);
				return [{ t: 'GUILD_ROLE_UPDATE', d: { guild_id: guild.id, role: changed } }];
			},
			roleDelete: (guild, choose) => {
				const role = choose.of([...guild.roles.values()].filter(({ id }) => id !== guild.id));
				if (!role) return [];
				guild.roles.delete(role.id as string);
				return [{ t: 'GUILD_ROLE_DELETE', d: { guild_id: guild.id, role_id: role.id } }];
			},
			memberAdd: (guild, choose) => {
				const id = choose.of([...this.#users.keys()].filter((user) => !guild.members.has(user)));
				if (id === undefined) return [];
				this.#newMember(guild, id);
				(guild.attributes.member_count as number)++;
				return [{ t: 'GUILD_MEMBER_ADD', d: { ...this.#sendMember(guild, id), guild_id: guild.id } }];
			},
			memberUpdate: (guild, choose) => {
				const id = choose.of(guild.members.keys());
				if (id === undefined) return [];
				const member = guild.members.get(id) as RawObject;
				member.nick = choose.chance(3) ? null : this.#name('nick');
				member.roles = [choose.of(guild.roles.keys())].filter((role) => role !== undefined && role !== guild.id);
				member.communication_disabled_until = choose.chance(3) ? this.#time() : null;
				if (choose.chance(3)) member.avatar_decoration_data = { asset: this.#name('asset'), sku_id: '1' };
				else delete member.avatar_decoration_data;
				return [this.#memberUpdate(guild, id)];
			},
			memberRemove: (guild, choose) => {
				const id = choose.of([...guild.members.keys()].filter((user) => user !== botId));
				if (id === undefined) return [];
				for (const list of [guild.members, guild.presences, guild.voice]) list.delete(id);
				guild.known.delete(id);
				(guild.attributes.member_count as number)--;
				return [{ t: 'GUILD_MEMBER_REMOVE', d: { guild_id: guild.id, user: this.#user(id) } }];
			},
			membersChunk: (guild) => [
				{
					t: 'GUILD_MEMBERS_CHUNK',
					d: {
						guild_id: guild.id,
						members: [...guild.members.keys()].map((id) => this.#sendMember(guild, id)),
						presences: [...guild.presences.values()],
						chunk_index: 0,
						chunk_count: 1,
						not_found: [],
					},
				},
			],
			presence: (guild, choose) => {
				const id = choose.of(guild.members.keys());
				if (id === undefined) return [];
				return [this.#presence(guild, id, choose)];
			},
			voice: (guild, choose) => {
				const id = choose.of(guild.members.keys());
				if (id === undefined) return [];
				const channel = choose.chance(3) ? undefined : this.#channelOfType(guild, choose, [2, 13]);
				const state: RawObject = {
					user_id: id,
					channel_id: channel?.id ?? null,
					session_id: `voice${id}`,
					deaf: false,
					mute: choose.chance(2),
					self_deaf: choose.chance(2),
					self_mute: choose.chance(2),
					self_video: choose.chance(2),
					suppress: false,
					request_to_speak_timestamp: choose.chance(3) ? this.#time() : null,
				};
				if (choose.chance(2)) state.self_stream = true;
				if (channel) guild.voice.set(id, state);
				else guild.voice.delete(id);
				return [{ t: 'VOICE_STATE_UPDATE', d: { ...state, guild_id: guild.id, member: this.#sendMember(guild, id) } }];
			},
			emojis: (guild, choose) => {
				this.#shuffle(guild.emojis, choose, () => {
					const id = this.#id();
					// `available` never changes alone: discord.js notices an emoji's change only when its name or its roles change.
					return {
						id,
						name: this.#name('emoji'),
						roles: [],
						require_colons: true,
						managed: false,
						animated: false,
						available: true,
					};
				});
				return [{ t: 'GUILD_EMOJIS_UPDATE', d: { guild_id: guild.id, emojis: [...guild.emojis.values()] } }];
			},
			stickers: (guild, choose) => {
				this.#shuffle(guild.stickers, choose, () => {
					const id = this.#id();
					const fixed = { type: 2, format_type: 1, available: true, guild_id: guild.id };
					return { id, name: this.#name('sticker'), description: null, tags: 'x', ...fixed };
				});
				return [{ t: 'GUILD_STICKERS_UPDATE', d: { guild_id: guild.id, stickers: [...guild.stickers.values()] } }];
			},
			soundCreate: (guild, choose) => {
				const sound: RawObject = {
					sound_id: this.#id(),
					guild_id: guild.id,
					name: this.#name('sound'),
					volume: 1,
					available: true,
				};
				Object.assign(sound, { emoji_id: null, emoji_name: '🔊' });
				const author = choose.of(guild.known);
				if (author !== undefined) sound.user = this.#user(author);
				guild.sounds.set(sound.sound_id as string, sound);
				return [{ t: 'GUILD_SOUNDBOARD_SOUND_CREATE', d: sound }];
			},
			soundUpdate: (guild, choose) => {
				const sound = choose.of(guild.sounds.values());
				if (!sound) return [];
				const { user: _, ...changed }: RawObject = { ...sound, name: this.#name('sound'), volume: choose.upTo(100) / 100 };
				Object.assign(sound, changed);
				if (choose.chance(2)) return [{ t: 'GUILD_SOUNDBOARD_SOUND_UPDATE', d: changed }];
				return [{ t: 'GUILD_SOUNDBOARD_SOUNDS_UPDATE', d: { guild_id: guild.id, soundboard_sounds: [changed] } }];
			},
			soundDelete: (guild, choose) => {
				const sound = choose.of(guild.sounds.values());
				if (!sound) return [];
				guild.sounds.delete(sound.sound_id as string);
				return [{ t: 'GUILD_SOUNDBOARD_SOUND_DELETE', d: { guild_id: guild.id, sound_id: sound.sound_id } }];
			},
			soundList: (guild) => [
				{
					t: 'SOUNDBOARD_SOUNDS',
					d: { guild_id: guild.id, soundboard_sounds: [...guild.sounds.values()].map((sound) => this.#fresh(sound)) },
				},
			],
			stageCreate: (guild, choose) => {
				const channel = this.#channelOfType(guild, choose, [13]);
				if (!channel) return [];
				const stage = {
					id: this.#id(),
					guild_id: guild.id,
					channel_id: channel.id,
					topic: this.#name('topic'),
					privacy_level: 2,
				};
				guild.stages.set(stage.id, stage);
				return [{ t: 'STAGE_INSTANCE_CREATE', d: stage }];
			},
			stageUpdate: (guild, choose) => {
				const stage = choose.of(guild.stages.values());
				if (!stage || !guild.channels.has(stage.channel_id as string)) return [];
				stage.topic = this.#name('topic');
				return [{ t: 'STAGE_INSTANCE_UPDATE', d: stage }];
			},
			stageDelete: (guild, choose) => {
				const stage = choose.of([...guild.stages.values()].filter((one) => guild.channels.has(one.channel_id as string)));
				if (!stage) return [];
				guild.stages.delete(stage.id as string);
				return [{ t: 'STAGE_INSTANCE_DELETE', d: stage }];
			},
			eventCreate: (guild, choose) => {
				const event: RawObject = { id: this.#id(), guild_id: guild.id, name: this.#name('event'), status: 1, entity_type: 3 };
				Object.assign(event, {
					channel_id: null,
					entity_metadata: { location: 'here' },
					privacy_level: 2,
					scheduled_start_time: this.#time(),
				});
				event.creator_id = choose.of(guild.members.keys());
				guild.events.set(event.id as string, event);
				return [{ t: 'GUILD_SCHEDULED_EVENT_CREATE', d: event }];
			},
			eventUpdate: (guild, choose) => {
				const event = choose.of(guild.events.values());
				if (!event) return [];
				Object.assign(event, { name: this.#name('event'), status: 1 + choose.upTo(4), scheduled_end_time: this.#time() });
				return [{ t: 'GUILD_SCHEDULED_EVENT_UPDATE', d: event }];
			},
			eventDelete: (guild, choose) => {
				const event = choose.of(guild.events.values());
				if (!event) return [];
				guild.events.delete(event.id as string);
				return [{ t: 'GUILD_SCHEDULED_EVENT_DELETE', d: event }];
			},
			eventInterest: (guild, choose) => {
				const event = choose.of(guild.events.values());
				const t = choose.chance(2) ? 'GUILD_SCHEDULED_EVENT_USER_ADD' : 'GUILD_SCHEDULED_EVENT_USER_REMOVE';
				if (!event) return [];
				return [{ t, d: { guild_id: guild.id, guild_scheduled_event_id: event.id, user_id: choose.of(guild.members.keys()) } }];
			},
			message: (guild, choose) => {
				const channel = this.#textChannel(guild, choose);
				const author = choose.of(guild.members.keys());
				if (!channel || author === undefined) return [];
				const id = this.#id();
				channel.last_message_id = id;
				if ('thread_metadata' in channel) {
					(channel.message_count as number)++;
					(channel.total_message_sent as number)++;
				}
				const mentioned = choose.chance(3) ? choose.of(guild.members.keys()) : undefined;
				const mentions =
					mentioned === undefined ? [] : [{ ...this.#user(mentioned), member: this.#memberAlone(guild, mentioned) }];
				const rest = {
					content: 'hello',
					timestamp: this.#time(),
					type: 0,
					mention_roles: [],
					mention_everyone: false,
					attachments: [],
					embeds: [],
				};
				const message = { id, channel_id: channel.id, guild_id: guild.id, author: this.#user(author), mentions, ...rest };
				return [{ t: 'MESSAGE_CREATE', d: { ...message, member: this.#memberAlone(guild, author) } }];
			},
			messageDelete: (guild, choose) => {
				const channel = this.#textChannel(guild, choose);
				if (!channel) return [];
				const count = choose.chance(2) ? 1 : 3;
				if ('thread_metadata' in channel) (channel.message_count as number) -= count;
				const where = { channel_id: channel.id, guild_id: guild.id };
				if (count === 1) return [{ t: 'MESSAGE_DELETE', d: { id: this.#id(), ...where } }];
				return [{ t: 'MESSAGE_DELETE_BULK', d: { ids: [this.#id(), this.#id(), this.#id()], ...where } }];
			},
			reaction: (guild, choose) => {
				const channel = this.#textChannel(guild, choose);
				const id = choose.of(guild.members.keys());
				if (!channel || id === undefined) return [];
				const where = { channel_id: channel.id, guild_id: guild.id, message_id: this.#id(), type: 0, burst: false };
				const reaction = { ...where, user_id: id, member: this.#sendMember(guild, id), emoji: { id: null, name: '👍' } };
				return [{ t: 'MESSAGE_REACTION_ADD', d: reaction }];
			},
			typing: (guild, choose) => {
				const channel = this.#textChannel(guild, choose);
				const id = choose.of(guild.members.keys());
				if (!channel || id === undefined) return [];
				const where = { channel_id: channel.id, guild_id: guild.id, timestamp: Math.floor(this.#clock / 1000) };
				return [{ t: 'TYPING_START', d: { ...where, user_id: id, member: this.#sendMember(guild, id) } }];
			},
			interaction: (guild, choose) => {
				const id = choose.of(guild.members.keys());
				const other = choose.of(guild.members.keys());
				if (id === undefined || other === undefined) return [];
				const member = { ...this.#sendMember(guild, id), permissions: '2048' };
				const resolved = { users: { [other]: this.#user(other) }, members: { [other]: this.#memberAlone(guild, other) } };
				const data = { id: '1', name: 'hug', type: 1, resolved, options: [{ name: 'who', type: 6, value: other }] };
				const rest = { application_id: botId, version: 1, token: 'x', locale: 'en-US', entitlements: [], context: 0 };
				const where = { guild_id: guild.id, app_permissions: '0', authorizing_integration_owners: {}, attachment_size_limit: 1 };
				return [{ t: 'INTERACTION_CREATE', d: { id: this.#id(), type: 2, member, data, ...rest, ...where } }];
			},
			nothing: (guild, choose) => {
				const t = choose.of(['GUILD_INTEGRATIONS_UPDATE', 'WEBHOOKS_UPDATE', 'SOMETHING_NEW', 'GUILD_BAN_ADD']) as string;
				return [{ t, d: { guild_id: guild.id, channel_id: '1', user: this.#user(botId) } }];
			},
		}),
		guildJoin: (guild) => {
			if (guild.joined) return [];
			guild.joined = true;
			return [this.#create(guild)];
		},
		guildLeave: (guild) => {
			if (!guild.joined) return [];
			guild.joined = false;
			guild.away = false;
			guild.known.clear();
			return [{ t: 'GUILD_DELETE', d: { id: guild.id } }];
		},
		outage: (guild) => {
			if (!guild.joined || guild.away) return [];
			guild.away = true;
			guild.known.clear();
			return [{ t: 'GUILD_DELETE', d: { id: guild.id, unavailable: true } }];
		},
		recovery: (guild, choose) => {
			if (!guild.joined || !guild.away) return [];
			guild.away = false;
			// Changes during the outage were not sent.
			const channel = choose.of(guild.channels.keys());
			if (channel !== undefined && choose.chance(2)) {
				guild.channels.delete(channel);
				for (const [id, thread] of guild.threads) if (thread.parent_id === channel) guild.threads.delete(id);
			}
			this.#newRole(guild);
			const quiet = choose.of(guild.presences.keys());
			if (quiet !== undefined) guild.presences.delete(quiet);
			return [this.#create(guild)];
		},
		rename: (_guild, choose) => {
			const id = choose.of(this.#users.keys()) as string;
			const user = this.#user(id);
			Object.assign(user, { username: this.#name('user'), avatar: this.#name('avatar'), global_name: this.#name('global') });
			const updates = this.#guilds
				.filter((guild) => guild.joined && !guild.away && guild.members.has(id))
				.map((guild) => this.#memberUpdate(guild, id));
			return id === botId ? [{ t: 'USER_UPDATE', d: { ...user, verified: true, mfa_enabled: true } }, ...updates] : updates;
		},
		interactionElsewhere: (_guild, choose) => {
			const id = choose.of(this.#users.keys()) as string;
			this.#seen.add(id);
			const rest = { application_id: botId, version: 1, token: 'x', locale: 'en-US', entitlements: [], context: 1, type: 2 };
			const where = { app_permissions: '0', authorizing_integration_owners: {}, attachment_size_limit: 1, user: this.#user(id) };
			return [{ t: 'INTERACTION_CREATE', d: { id: this.#id(), ...rest, ...where, data: { id: '1', name: 'hug', type: 1 } } }];
		},
		again: () => {
			// Discord may send an event twice. Those that count (members, messages) are counted twice by discord.js too, and others
			// would be treated as new; sending them twice says nothing about the state.
			const last = this.#last;
			if (!last || /MEMBER_ADD|MEMBER_REMOVE|MESSAGE|INTERACTION/.test(last.t)) return [];
			return [last];
		},
	};

	/** Most changes happen only in a guild that the bot is in and that has no outage. */
	#whenHere(happenings: Record<string, Happening>): Record<string, Happening> {
		const here = ([name, happening]: [string, Happening]): [string, Happening] => [
			name,
			(guild, choose) => (guild.joined && !guild.away ? happening(guild, choose) : []),
		];
		return Object.fromEntries(Object.entries(happenings).map(here));
	}

	#id(): string {
		return String(++this.#lastId);
	}

	#name(what: string): string {
		return `${what} ${this.#id().slice(-5)}`;
	}

	#time(): string {
		return new Date(this.#clock).toISOString();
	}

	#user(id: string): RawObject {
		return this.#users.get(id) as RawObject;
	}

	#newUser(id: string, username: string): RawObject {
		const user: RawObject = { id, username, global_name: null, discriminator: '0', avatar: null, public_flags: 0, bot: false };
		Object.assign(user, { avatar_decoration_data: null, collectibles: null, primary_guild: null });
		this.#users.set(id, user);
		return user;
	}

	#newGuild(index: number): WorldGuild {
		const id = `${500_000_000_000_000_000n + BigInt(index)}`;
		const attributes: RawObject = {
			id,
			name: `guild ${index}`,
			icon: null,
			owner_id: '100000000000000000',
			features: [],
			afk_timeout: 300,
		};
		Object.assign(attributes, {
			joined_at: this.#time(),
			large: index === 1,
			member_count: 0,
			premium_tier: 0,
			incidents_data: null,
		});
		const maps = [
			'roles',
			'channels',
			'threads',
			'presences',
			'voice',
			'emojis',
			'stickers',
			'sounds',
			'stages',
			'events',
			'members',
		];
		const guild = {
			id,
			large: index === 1,
			joined: true,
			away: false,
			attributes,
			known: new Set<string>(),
			...Object.fromEntries(maps.map((name) => [name, new Map<string, RawObject>()])),
		} as unknown as WorldGuild;
		guild.roles.set(id, { ...this.#newRole(guild), id, name: '@everyone' });
		for (const type of allTypes) this.#newChannel(guild, type);
		for (const user of [botId, ...[...this.#users.keys()].slice(index, index + 4)]) this.#newMember(guild, user);
		guild.attributes.member_count = guild.members.size;
		// One of each, so that there is something to change from the first event on.
		const first = new Choices([]);
		for (const type of [0, 5]) this.#newThread(guild, this.#channelOfType(guild, first, [type]) as RawObject, new Choices([1]));
		for (const kind of ['emojis', 'stickers', 'soundCreate', 'stageCreate', 'eventCreate'])
			this.#happenings[kind]?.(guild, first);
		return guild;
	}

	#newRole(guild: WorldGuild): RawObject {
		const role: RawObject = {
			id: this.#id(),
			name: this.#name('role'),
			color: 0,
			hoist: false,
			position: 1,
			permissions: '1024',
		};
		Object.assign(role, { colors: { primary_color: 0, secondary_color: null, tertiary_color: null } });
		Object.assign(role, { managed: false, mentionable: false, icon: null, unicode_emoji: null, flags: 0 });
		guild.roles.set(role.id as string, role);
		return role;
	}

	#newChannel(guild: WorldGuild, type: number): RawObject {
		const channel: RawObject = { id: this.#id(), type, name: this.#name('channel'), position: 0, flags: 0, parent_id: null };
		channel.permission_overwrites = [];
		if (textTypes.includes(type))
			Object.assign(channel, { topic: null, nsfw: false, last_message_id: null, rate_limit_per_user: 0 });
		if (type === 2 || type === 13)
			Object.assign(channel, { bitrate: 64_000, user_limit: 0, rtc_region: null, last_message_id: null });
		if (type === 15)
			Object.assign(channel, { available_tags: [], default_reaction_emoji: null, default_sort_order: null, topic: null });
		guild.channels.set(channel.id as string, channel);
		return channel;
	}

	#newThread(guild: WorldGuild, parent: RawObject, choose: Choices): RawObject {
		const id = this.#id();
		const thread: RawObject = {
			id,
			type: parent.type === 5 ? 10 : 11,
			parent_id: parent.id,
			owner_id: botId,
			name: this.#name('thread'),
		};
		Object.assign(thread, {
			last_message_id: null,
			message_count: 0,
			member_count: 1,
			total_message_sent: 0,
			rate_limit_per_user: 0,
			flags: 0,
		});
		thread.thread_metadata = { archived: false, archive_timestamp: this.#time(), auto_archive_duration: 60, locked: false };
		if (choose.chance(2)) thread.member = { id, user_id: botId, join_timestamp: this.#time(), flags: 0 };
		guild.threads.set(id, thread);
		return thread;
	}

	#newMember(guild: WorldGuild, id: string): void {
		const member: RawObject = { nick: null, avatar: null, banner: null, roles: [], joined_at: this.#time(), premium_since: null };
		guild.members.set(id, { ...member, deaf: false, mute: false, flags: 0, pending: false, communication_disabled_until: null });
	}

	/** A member with the user; from now on the bot knows the member. */
	#sendMember(guild: WorldGuild, id: string): RawObject {
		guild.known.add(id);
		this.#seen.add(id);
		return this.#memberWithUser(guild, id);
	}

	#memberWithUser(guild: WorldGuild, id: string): RawObject {
		return { ...guild.members.get(id), user: this.#user(id) };
	}

	/** A member as messages carry it. */
	#memberAlone(guild: WorldGuild, id: string): RawObject {
		const { user: _, ...member } = this.#sendMember(guild, id);
		return member;
	}

	#memberUpdate(guild: WorldGuild, id: string): Dispatch {
		return { t: 'GUILD_MEMBER_UPDATE', d: { ...this.#sendMember(guild, id), guild_id: guild.id } };
	}

	#channelUpdate(guild: WorldGuild, id: string): Dispatch {
		return { t: 'CHANNEL_UPDATE', d: { ...guild.channels.get(id), guild_id: guild.id } };
	}

	#guildUpdate(guild: WorldGuild): Dispatch {
		const { member_count: _, large: __, joined_at: ___, ...attributes } = guild.attributes;
		const lists = {
			roles: [...guild.roles.values()],
			emojis: [...guild.emojis.values()],
			stickers: [...guild.stickers.values()],
		};
		return { t: 'GUILD_UPDATE', d: { ...attributes, ...lists } };
	}

	#create(guild: WorldGuild): Dispatch {
		// Archived threads are not listed, and are known again only when they are unarchived.
		for (const [id, thread] of guild.threads) if ((thread.thread_metadata as RawObject).archived) guild.threads.delete(id);
		const listed = [...guild.members.keys()].filter(
			(id) => !guild.large || id === botId || guild.presences.has(id) || guild.voice.has(id),
		);
		return {
			t: 'GUILD_CREATE',
			d: {
				...guild.attributes,
				unavailable: false,
				roles: [...guild.roles.values()],
				channels: [...guild.channels.values()],
				threads: [...guild.threads.values()].map((thread) => ({ ...thread, guild_id: guild.id })),
				members: listed.map((id) => this.#sendMember(guild, id)),
				presences: [...guild.presences.values()],
				voice_states: [...guild.voice.values()],
				emojis: [...guild.emojis.values()],
				stickers: [...guild.stickers.values()],
				soundboard_sounds: [...guild.sounds.values()].map((sound) => this.#fresh(sound)),
				stage_instances: [...guild.stages.values()],
				guild_scheduled_events: [...guild.events.values()],
			},
		};
	}

	/** Discord includes users as they are now wherever it includes them. */
	#fresh(sound: RawObject): RawObject {
		const author = sound.user as RawObject | undefined;
		return author ? { ...sound, user: this.#user(author.id as string) } : sound;
	}

	#presence(guild: WorldGuild, id: string, choose: Choices): Dispatch {
		const status = choose.of(['online', 'idle', 'offline']) as string;
		const activities = status === 'offline' ? [] : [{ name: this.#name('game'), type: 0, created_at: this.#clock, id: 'x' }];
		const presence: RawObject = {
			user: { id },
			status,
			activities,
			client_status: status === 'offline' ? {} : { desktop: status },
		};
		if (status === 'offline') guild.presences.delete(id);
		else guild.presences.set(id, presence);
		// The user is mostly only an id. discord.js then uses the user it remembers, also one who left every guild long ago; a
		// client that logs in later cannot remember, so here such a user is sent whole.
		const knownNow = this.#guilds.some((other) => other.known.has(id));
		const whole = !knownNow && this.#seen.has(id);
		if (status !== 'offline' && (knownNow || whole)) this.#sendMember(guild, id);
		return { t: 'PRESENCE_UPDATE', d: { ...presence, guild_id: guild.id, ...(whole && { user: this.#user(id) }) } };
	}

	#change(items: Map<string, RawObject>, item: RawObject, changes: RawObject): void {
		items.set(item.id as string, { ...item, ...changes });
	}

	#channelOfType(guild: WorldGuild, choose: Choices, types: number[]): RawObject | undefined {
		return choose.of([...guild.channels.values()].filter((channel) => types.includes(channel.type as number)));
	}

	#textChannel(guild: WorldGuild, choose: Choices): RawObject | undefined {
		const open = [...guild.threads.values()].filter((thread) => !(thread.thread_metadata as RawObject).archived);
		return choose.of([...[...guild.channels.values()].filter((channel) => textTypes.includes(channel.type as number)), ...open]);
	}

	/** Adds, renames or removes one item of a list that is always sent whole. */
	#shuffle(items: Map<string, RawObject>, choose: Choices, make: () => RawObject): void {
		const known = choose.of(items.values());
		const what = choose.upTo(3);
		if (!known || what === 0) {
			const made = make();
			items.set(made.id as string, made);
		} else if (what === 1) items.delete(known.id as string);
		else this.#change(items, known, { name: this.#name('renamed') });
	}
}
