// The state of one guild, and the payloads that describe it. The code that changes it emits the event.

import type { MemberDirectory } from './members.js';
import {
	type Channel,
	type Emoji,
	isThread,
	type Member,
	type Presence,
	type Role,
	type User,
	type VoiceState,
} from './model.js';

export interface GuildFields {
	id: string;
	name: string;
	owner_id: string;
	[field: string]: unknown;
}

export interface GuildParts {
	fields: GuildFields;
	roles: Role[];
	channels: Channel[];
	emojis: Emoji[];
	voiceStates: VoiceState[];
	members: MemberDirectory;
	bot: Member;
}

export class Guild {
	readonly fields: GuildFields;
	readonly roles: Map<string, Role>;
	/** Threads as well. */
	readonly channels: Map<string, Channel>;
	readonly emojis: Map<string, Emoji>;
	/** By user id; the last known state of those who are in a voice channel. */
	readonly voiceStates: Map<string, VoiceState>;
	readonly bans = new Map<string, { user: User; reason: string | null }>();
	/** Presences that are known; every other member is offline. */
	readonly presences = new Map<string, Presence>();
	/** The bot's own member, who is not in `members`. */
	readonly bot: Member;
	readonly members: MemberDirectory;
	/** In an outage: sessions see it as unavailable. */
	available = true;

	constructor({ fields, roles, channels, emojis, voiceStates, members, bot }: GuildParts) {
		this.fields = fields;
		this.roles = new Map(roles.map((role) => [role.id, role]));
		this.channels = new Map(channels.map((channel) => [channel.id, channel]));
		this.emojis = new Map(emojis.map((emoji) => [emoji.id ?? emoji.name, emoji]));
		this.voiceStates = new Map(voiceStates.map((state) => [state.user_id, state]));
		this.members = members;
		this.bot = bot;
	}

	get id(): string {
		return this.fields.id;
	}

	get memberCount(): number {
		return this.members.count + 1;
	}

	member(userId: string): Member | undefined {
		return userId === this.bot.user.id ? this.bot : this.members.get(userId);
	}

	/** The guild object of REST and GUILD_UPDATE. */
	toRest(): object {
		return { ...this.fields, roles: [...this.roles.values()], emojis: [...this.emojis.values()], stickers: [] };
	}

	/**
	 * The data of GUILD_CREATE. `everyone`: with the presences intent a small guild comes with all its members; else only the
	 * bot and those in voice channels do. Discord: Gateway Events, "Guild Create".
	 */
	toGuildCreate({ everyone, largeThreshold }: { everyone: boolean; largeThreshold: number }): object {
		const large = this.memberCount > largeThreshold;
		const channels: Channel[] = [];
		const threads: Channel[] = [];
		for (const channel of this.channels.values()) (isThread(channel) ? threads : channels).push(channel);
		const all = everyone && this.memberCount <= 75_000;
		return {
			...this.toRest(),
			joined_at: this.bot.joined_at,
			large,
			unavailable: false,
			member_count: this.memberCount,
			voice_states: [...this.voiceStates.values()].map(({ guild_id: _guild, member: _member, ...state }) => state),
			members: all ? this.#members(large) : this.#voiceMembers(),
			channels,
			threads,
			presences: all ? [...this.presences.values()] : [],
			stage_instances: [],
			guild_scheduled_events: [],
			soundboard_sounds: [],
		};
	}

	// In a large guild offline members are left out.
	#members(large: boolean): Member[] {
		if (!large) return [this.bot, ...this.members.all()];
		const online = [...this.presences.keys()].map((id) => this.members.get(id)).filter((member) => member !== undefined);
		return [...new Map([...online, ...this.#voiceMembers()].map((member) => [member.user.id, member])).values()];
	}

	#voiceMembers(): Member[] {
		const voice = [...this.voiceStates.keys()].map((id) => this.members.get(id)).filter((member) => member !== undefined);
		return [this.bot, ...voice];
	}
}
