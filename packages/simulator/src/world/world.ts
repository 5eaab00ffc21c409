// The world as data: guilds, people, messages, commands, and who the bot is. It knows no sockets. What happens in it happens
// through the functions in `changes/`, each of which ends in `emit`.
import type { Clock } from '@shardctl/core';
import type { Guild } from './guild.js';
import { GuildPlan, type GuildSizes } from './guild-plan.js';
import { GuildStore } from './guild-store.js';
import { InteractionBook } from './interaction-book.js';
import { MessageBook } from './message-book.js';
import { type Channel, type Command, channelTypes, type User, type Webhook, type WorldEvent } from './model.js';
import { fraction } from './random.js';
import { IdSource, snowflake } from './snowflake.js';
import { Population } from './users.js';

export interface WorldOptions {
	seed: number;
	/** How many guilds the bot is in. */
	guilds: number;
	guildSizes: GuildSizes;
	/** How many people there are to be members. */
	population: number;
	clock: Clock;
	/** What the bot's managed role allows it, as bits. */
	botPermissions: string;
	/** Bits of the application's flags: which privileged intents it was granted. */
	applicationFlags: number;
	/** Hears of everything that happens. */
	onEvent: (event: WorldEvent) => void;
}

export class World {
	readonly seed: number;
	readonly clock: Clock;
	readonly ids: IdSource;
	readonly population: Population;
	readonly plan: GuildPlan;
	readonly guilds: GuildStore;
	readonly messages = new MessageBook();
	readonly interactions = new InteractionBook();
	/** Application commands by id, global ones and those of guilds. */
	readonly commands = new Map<string, Command>();
	readonly webhooks = new Map<string, Webhook>();
	/** Direct message channels by id; one per recipient. */
	readonly directChannels = new Map<string, Channel>();
	/** People who are not of the seed, or who changed. */
	readonly ownUsers = new Map<string, User>();
	readonly applicationId: string;
	readonly applicationFlags: number;
	readonly botPermissions: string;
	/** The bot; replaced, not changed, when it edits itself. */
	bot: User;
	/** Channels that are not of the seed → their guild. */
	readonly channelGuilds = new Map<string, string>();
	readonly #onEvent: (event: WorldEvent) => void;

	constructor({ seed, guilds, guildSizes, population, clock, applicationFlags, botPermissions, onEvent }: WorldOptions) {
		this.seed = seed;
		this.clock = clock;
		this.ids = new IdSource(clock);
		this.population = new Population(seed, population);
		this.applicationId = snowflake(90_000_000_000, Math.floor(fraction(seed, 30) * 0x3fffff));
		this.applicationFlags = applicationFlags;
		this.botPermissions = botPermissions;
		this.bot = {
			id: this.applicationId,
			username: 'Simulated Bot',
			discriminator: '0001',
			global_name: null,
			avatar: null,
			bot: true,
			mfa_enabled: false,
			verified: true,
			email: null,
			flags: 0,
			public_flags: 0,
			banner: null,
			accent_color: null,
			avatar_decoration_data: null,
		};
		this.plan = new GuildPlan({ seed, sizes: guildSizes, population: this.population, bot: this.bot, botPermissions });
		this.guilds = new GuildStore(this.plan, guilds);
		this.#onEvent = onEvent;
	}

	emit(event: WorldEvent): void {
		this.#onEvent(event);
	}

	user(id: string): User | undefined {
		if (id === this.bot.id) return this.bot;
		const own = this.ownUsers.get(id);
		if (own) return own;
		const index = this.population.indexOf(id);
		return index === undefined ? undefined : this.population.user(index);
	}

	/** The id of the guild that has this channel or thread. */
	guildIdOfChannel(channelId: string): string | undefined {
		const own = this.channelGuilds.get(channelId);
		if (own !== undefined) return own;
		const near = this.guilds.nearestTo(channelId);
		return near !== undefined && this.guilds.read(near)?.channels.has(channelId) ? near : undefined;
	}

	channel(channelId: string): Channel | undefined {
		const direct = this.directChannels.get(channelId);
		if (direct) return direct;
		const guildId = this.guildIdOfChannel(channelId);
		return guildId === undefined ? undefined : this.guilds.read(guildId)?.channels.get(channelId);
	}

	/** A channel of the guild in which people write. */
	firstTextChannel(guild: Guild): Channel | undefined {
		for (const channel of guild.channels.values()) if (channel.type === channelTypes.text) return channel;
		return undefined;
	}
}
