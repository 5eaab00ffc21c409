// A discord.js client that is fed by hand, without sockets: its cache contains what the dispatches make of it. And the cache as plain
// data, so that two clients can be compared.
import {
	BitField,
	Client,
	type ClientOptions,
	Collection,
	GatewayIntentBits,
	type Guild,
	Status,
	type ThreadChannel,
} from 'discord.js';
import type { Dispatch } from '../../src/state/raw.js';

/** The private parts of discord.js that take a packet; its own connection calls the same ones. */
interface Feedable {
	ws: { status: Status; handlePacket(packet: object, shard: object): boolean };
	channels: { _remove(id: string): void };
	sweepers: { destroy(): void };
}

/** A client with every intent. */
export function newClient(options: Omit<ClientOptions, 'intents'> = {}): Client {
	return new Client({ ...options, intents: Object.values(GatewayIntentBits).filter((bit) => typeof bit === 'number') });
}

/**
 * When a guild becomes available after an outage, discord.js rebuilds its lists, but keeps the presences, and the channels and threads
 * that were removed during the outage (in client.channels and in the threads of a channel). That is an oversight, and no client that logs
 * in afterwards can have them, so they are removed here, before the GUILD_CREATE.
 */
export function forgetOutage(client: Client, guildId: string): void {
	const guild = client.guilds.cache.get(guildId);
	if (!guild || guild.available) return;
	guild.presences.cache.clear();
	for (const id of guild.channels.cache.keys()) (client as unknown as Feedable).channels._remove(id);
}

export class CachedClient {
	readonly client: Client;
	readonly #shard = { id: 0, status: Status.Ready, checkReady: () => {} };

	constructor() {
		this.client = newClient();
		this.#feedable.ws.status = Status.Ready;
	}

	get #feedable(): Feedable {
		return this.client as unknown as Feedable;
	}

	/** Feeds one dispatch, given as text because discord.js writes into what it is given. */
	feed(text: string): void {
		const packet = JSON.parse(text) as Dispatch;
		if (packet.t === 'GUILD_CREATE') forgetOutage(this.client, (packet.d as { id: string }).id);
		this.feedAsIs(text);
	}

	/** Feeds one dispatch without correcting for what discord.js keeps. */
	feedAsIs(text: string): void {
		this.#feedable.ws.handlePacket(JSON.parse(text) as Dispatch, this.#shard);
	}

	destroy(): void {
		this.#feedable.sweepers.destroy();
	}
}

type Plain = unknown;

/** References to other structures, and managers; the lists that matter are copied one by one below. */
const skipped = new Set(['client', 'guild', 'thread', 'channel', 'messages', 'guildMember']);

/** Every own property of a structure as plain data. Other structures become their ids. */
function plain(value: unknown, depth = 0): Plain {
	if (value === null || typeof value !== 'object') return typeof value === 'bigint' ? String(value) : value;
	if (value instanceof BitField) return `bits ${value.bitfield}`;
	if (value instanceof Date) return value.getTime();
	if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
	if (value instanceof Collection) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item, depth + 1)]));
	if ('cache' in value) return undefined;
	if (depth > 0 && 'client' in value && 'id' in value) return `the one of id ${String(value.id)}`;
	return Object.fromEntries(
		Object.entries(value)
			.filter(([key, item]) => !skipped.has(key) && item !== undefined)
			.map(([key, item]) => [key, plain(item, depth + 1)] as const)
			.filter(([, item]) => item !== undefined),
	);
}

function plainMap<T>(cache: Iterable<[string, T]>, more: (item: T) => object = () => ({})): Plain {
	return Object.fromEntries([...cache].map(([id, item]) => [id, { ...(plain(item) as object), ...more(item) }]));
}

function plainGuild(guild: Guild): Plain {
	// A client that logs in during an outage knows only the guild's id; discord.js keeps the old data of a known guild.
	if (!guild.available) return { available: false };
	return {
		...(plain(guild) as object),
		// discord.js keeps the threads of a channel that was deleted after it had changed its type: they are not reachable.
		channels: plainMap(guild.channels.cache, (channel) => ({
			...('permissionOverwrites' in channel && { permissionOverwrites: plainMap(channel.permissionOverwrites.cache) }),
			...(channel.isThread() && { members: plainMap((channel as ThreadChannel).members.cache, () => ({ member: undefined })) }),
		})),
		roles: plainMap(guild.roles.cache),
		members: plainMap(guild.members.cache, (member) => ({
			user: plain(member.user),
			roles: (member as unknown as { _roles: string[] })._roles,
		})),
		// GUILD_CREATE does not list offline members, so being listed as offline equals not being listed.
		presences: plainMap(guild.presences.cache.filter((presence) => presence.status !== 'offline')),
		// The same applies to members who are in no channel.
		voiceStates: plainMap(guild.voiceStates.cache.filter((voice) => voice.channelId !== null)),
		emojis: plainMap(guild.emojis.cache, (emoji) => ({ roles: (emoji as unknown as { _roles: string[] })._roles })),
		stickers: plainMap(guild.stickers.cache),
		soundboardSounds: plainMap(guild.soundboardSounds.cache),
		stageInstances: plainMap(guild.stageInstances.cache),
		// `creator` is looked up among the users the client knows; `creatorId` is compared.
		scheduledEvents: plainMap(guild.scheduledEvents.cache, () => ({ creator: undefined })),
	};
}

/**
 * Everything a client knows of its shard, as plain data.
 *
 * Left out, because a login restores it neither here nor with Discord: messages and their reactions; users who are no members of
 * any guild; direct message channels; what clients collect from events about bans, invites and rules.
 */
export function cacheOf(client: Client): Plain {
	return {
		user: plain(client.user),
		application: plain(client.application),
		guilds: Object.fromEntries([...client.guilds.cache].map(([id, guild]) => [id, plainGuild(guild)])),
		channels: client.channels.cache
			.filter((channel) => !channel.isDMBased() && channel.guild.available)
			.map((channel) => channel.id)
			.sort(),
	};
}

/**
 * The caches of a client that stayed while Discord ended its session, and of one that logged in to the next session at that time. Left
 * out is what the new session does not contain and the one that stayed still knows: who else is in a thread, and archived threads that
 * stay in client.channels. Also a guild that the bot joined in between and that is in an outage: the client that stayed sees a join when
 * it becomes available.
 */
export function cachesAfterLoss(fresh: Client, stayed: Client): [fresh: Plain, stayed: Plain] {
	for (const client of [fresh, stayed]) {
		const other = client === fresh ? stayed : fresh;
		client.guilds.cache.sweep((guild) => !guild.available && !other.guilds.cache.has(guild.id));
		for (const guild of client.guilds.cache.values()) {
			for (const channel of guild.channels.cache.values()) {
				if (channel.isThread()) channel.members.cache.sweep((member) => member.id !== client.user?.id);
			}
		}
		client.channels.cache.sweep((channel) => channel.isThread() && !channel.guild.channels.cache.has(channel.id));
	}
	return [cacheOf(fresh), cacheOf(stayed)];
}
