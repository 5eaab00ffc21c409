// What people and the bot do with messages: send, edit, delete, react, type.
import type { Channel, Message, User } from '../model.js';
import type { World } from '../world.js';

export interface NewMessage {
	channelId: string;
	author: User;
	content?: string;
	/** Further fields of the message: embeds, components, flags, nonce, … */
	fields?: Record<string, unknown>;
}

/** Where the events of a channel go. */
function place(world: World, channel: Channel): { guildId: string | null; direct: boolean } {
	const guildId = channel.guild_id ?? world.guildIdOfChannel(channel.id) ?? null;
	return { guildId, direct: guildId === null };
}

/** A message object that is in no channel yet, as for ephemeral responses. */
export function composeMessage(world: World, { channelId, author, content = '', fields = {} }: NewMessage): Message {
	return {
		id: world.ids.next(),
		channel_id: channelId,
		author,
		content,
		timestamp: new Date(world.clock.now()).toISOString(),
		edited_timestamp: null,
		tts: false,
		mention_everyone: false,
		mentions: mentionedUsers(world, content),
		mention_roles: [],
		attachments: [],
		embeds: [],
		components: [],
		pinned: false,
		type: 0,
		flags: 0,
		...withoutNulls(fields),
	};
}

/** What a bot sends as null, as discord.py does with what it leaves out, is empty in the message. */
const emptied: Readonly<Record<string, unknown>> = { content: '', embeds: [], components: [], attachments: [] };

function withoutNulls(fields: Record<string, unknown>): Record<string, unknown> {
	return Object.fromEntries(
		Object.entries(fields).map(([name, value]) => [name, value === null && name in emptied ? emptied[name] : value]),
	);
}

export function sendMessage(world: World, message: NewMessage): Message | undefined {
	const channel = world.channel(message.channelId);
	if (!channel) return undefined;
	const { guildId, direct } = place(world, channel);
	const composed = composeMessage(world, message);
	world.messages.add(composed);
	const data: Record<string, unknown> = { ...composed, channel_type: channel.type };
	if (guildId !== null) {
		const guild = world.guilds.read(guildId);
		data.guild_id = guildId;
		const { user: _, ...member } = guild?.member(message.author.id) ?? {};
		if (Object.keys(member).length > 0) data.member = member;
	}
	world.emit({ type: 'MESSAGE_CREATE', guildId, direct, data, userId: message.author.id });
	return composed;
}

export function editMessage(world: World, message: Message, fields: Record<string, unknown>): Message {
	const edited: Message = { ...message, ...withoutNulls(fields), edited_timestamp: new Date(world.clock.now()).toISOString() };
	world.messages.add(edited);
	const channel = world.channel(message.channel_id);
	if (channel) {
		const { guildId, direct } = place(world, channel);
		const data = { ...edited, ...(guildId !== null && { guild_id: guildId }) };
		world.emit({ type: 'MESSAGE_UPDATE', guildId, direct, data, userId: message.author.id });
	}
	return edited;
}

export function deleteMessages(world: World, channel: Channel, ids: readonly string[]): void {
	const deleted = ids.filter((id) => world.messages.delete(channel.id, id));
	if (deleted.length === 0) return;
	const { guildId, direct } = place(world, channel);
	const at = { channel_id: channel.id, ...(guildId !== null && { guild_id: guildId }) };
	if (deleted.length === 1) world.emit({ type: 'MESSAGE_DELETE', guildId, direct, data: { id: deleted[0], ...at } });
	else world.emit({ type: 'MESSAGE_DELETE_BULK', guildId, direct, data: { ids: deleted, ...at } });
}

export function startTyping(world: World, channel: Channel, userId: string): void {
	const { guildId, direct } = place(world, channel);
	const member = guildId === null ? undefined : world.guilds.read(guildId)?.member(userId);
	world.emit({
		type: 'TYPING_START',
		guildId,
		direct,
		data: {
			channel_id: channel.id,
			user_id: userId,
			timestamp: Math.floor(world.clock.now() / 1000),
			...(guildId !== null && { guild_id: guildId, member }),
		},
	});
}

function mentionedUsers(world: World, content: string): User[] {
	const ids = new Set([...content.matchAll(/<@!?(\d{1,20})>/g)].map(([, id]) => id as string));
	return [...ids].map((id) => world.user(id)).filter((user) => user !== undefined);
}
