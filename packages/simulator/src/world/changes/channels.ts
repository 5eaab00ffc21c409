// Channels and threads come, change and go.
import type { Guild } from '../guild.js';
import { type Channel, channelTypes, isThread, type Message } from '../model.js';
import { snowflakeDate } from '../snowflake.js';
import type { World } from '../world.js';

/** The fields that a channel of this type always has. */
function defaults(type: number): Record<string, unknown> {
	const textual = { topic: null, nsfw: false, last_message_id: null, rate_limit_per_user: 0 };
	if (type === channelTypes.category) return {};
	if (type === channelTypes.voice || type === channelTypes.stage) {
		return { ...textual, bitrate: 64_000, user_limit: 0, rtc_region: null };
	}
	return { ...textual, last_pin_timestamp: null };
}

export function createChannel(world: World, guildId: string, fields: Record<string, unknown>): Channel | undefined {
	const guild = world.guilds.edit(guildId);
	if (!guild) return undefined;
	const type = Number(fields.type ?? channelTypes.text);
	const channel: Channel = {
		permission_overwrites: [],
		parent_id: null,
		flags: 0,
		position: guild.channels.size,
		...defaults(type),
		...fields,
		id: world.ids.next(),
		type,
		guild_id: guildId,
		name: typeof fields.name === 'string' ? fields.name : 'new-channel',
	};
	put(world, guild, channel);
	world.emit({ type: 'CHANNEL_CREATE', guildId, data: channel, inGuildState: true });
	return channel;
}

export interface NewThread {
	parent: Channel;
	fields: Record<string, unknown>;
	ownerId: string;
	/** A thread that starts from a message has its id. */
	message?: Message;
}

export function createThread(
	world: World,
	guildId: string,
	{ parent, fields, ownerId, message }: NewThread,
): Channel | undefined {
	const guild = world.guilds.edit(guildId);
	if (!guild) return undefined;
	const id = message?.id ?? world.ids.next();
	const asAnnouncement = parent.type === channelTypes.announcement;
	const thread: Channel = {
		id,
		guild_id: guildId,
		parent_id: parent.id,
		type: Number(fields.type ?? (asAnnouncement ? channelTypes.announcementThread : channelTypes.publicThread)),
		name: typeof fields.name === 'string' ? fields.name : 'new-thread',
		owner_id: ownerId,
		last_message_id: null,
		message_count: 0,
		member_count: 1,
		total_message_sent: 0,
		rate_limit_per_user: Number(fields.rate_limit_per_user ?? 0),
		flags: 0,
		thread_metadata: {
			archived: false,
			auto_archive_duration: Number(fields.auto_archive_duration ?? 4320),
			archive_timestamp: snowflakeDate(world.ids.next()),
			locked: false,
			create_timestamp: snowflakeDate(id),
		},
		...(Array.isArray(fields.applied_tags) && { applied_tags: fields.applied_tags }),
	};
	put(world, guild, thread);
	world.emit({ type: 'THREAD_CREATE', guildId, data: { ...thread, newly_created: true }, inGuildState: true });
	return thread;
}

const metadataFields: ReadonlySet<string> = new Set(['archived', 'auto_archive_duration', 'locked', 'invitable']);

export function updateChannel(world: World, channelId: string, fields: Record<string, unknown>): Channel | undefined {
	const guildId = world.guildIdOfChannel(channelId);
	const guild = guildId === undefined ? undefined : world.guilds.edit(guildId);
	const before = guild?.channels.get(channelId);
	if (!guild || !before) return undefined;
	const plain = Object.fromEntries(Object.entries(fields).filter(([name]) => !isThread(before) || !metadataFields.has(name)));
	const metadata = Object.fromEntries(Object.entries(fields).filter(([name]) => isThread(before) && metadataFields.has(name)));
	const channel: Channel = {
		...before,
		...plain,
		id: channelId,
		...(isThread(before) && { thread_metadata: { ...(before.thread_metadata as object), ...metadata } }),
	};
	guild.channels.set(channelId, channel);
	world.emit({
		type: isThread(channel) ? 'THREAD_UPDATE' : 'CHANNEL_UPDATE',
		guildId: guild.id,
		data: channel,
		inGuildState: true,
	});
	return channel;
}

/** Deletes a channel, with the threads in it. */
export function deleteChannel(world: World, channelId: string): Channel | undefined {
	const guildId = world.guildIdOfChannel(channelId);
	const guild = guildId === undefined ? undefined : world.guilds.edit(guildId);
	const channel = guild?.channels.get(channelId);
	if (!guild || !channel) return undefined;
	for (const thread of guild.channels.values())
		if (isThread(thread) && thread.parent_id === channelId) drop(world, guild, thread);
	drop(world, guild, channel);
	const { id, guild_id, parent_id, type } = channel;
	if (isThread(channel))
		world.emit({ type: 'THREAD_DELETE', guildId: guild.id, data: { id, guild_id, parent_id, type }, inGuildState: true });
	else world.emit({ type: 'CHANNEL_DELETE', guildId: guild.id, data: channel, inGuildState: true });
	return channel;
}

/** A member enters or leaves a thread. */
export function changeThreadMembers(world: World, thread: Channel, change: { added?: string; removed?: string }): void {
	const guildId = world.guildIdOfChannel(thread.id);
	const guild = guildId === undefined ? undefined : world.guilds.edit(guildId);
	const current = guild?.channels.get(thread.id);
	if (!guild || !current) return;
	const count = Math.max(0, Number(current.member_count ?? 0) + (change.added ? 1 : -1));
	current.member_count = count;
	const joined = new Date(world.clock.now()).toISOString();
	const data = {
		id: thread.id,
		guild_id: guild.id,
		member_count: count,
		...(change.added && { added_members: [{ id: thread.id, user_id: change.added, join_timestamp: joined, flags: 0 }] }),
		...(change.removed && { removed_member_ids: [change.removed] }),
	};
	world.emit({ type: 'THREAD_MEMBERS_UPDATE', guildId: guild.id, data, inGuildState: true });
}

function put(world: World, guild: Guild, channel: Channel): void {
	guild.channels.set(channel.id, channel);
	world.channelGuilds.set(channel.id, guild.id);
}

function drop(world: World, guild: Guild, channel: Channel): void {
	guild.channels.delete(channel.id);
	world.channelGuilds.delete(channel.id);
	world.messages.forgetChannel(channel.id);
}
