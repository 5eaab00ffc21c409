// Reactions to messages, and pins.
import type { Emoji, Message } from '../model.js';
import type { World } from '../world.js';

interface Reaction {
	emoji: Emoji;
	count: number;
	me: boolean;
}

/** `name:id` of a guild's emoji, or the character itself, as REST paths have it. */
export function parseEmoji(text: string): Emoji {
	const custom = /^(?:a:)?([^:]+):(\d{1,20})$/.exec(text);
	return custom ? { id: custom[2] as string, name: custom[1] as string } : { id: null, name: text };
}

function sameEmoji(a: Emoji, b: Emoji): boolean {
	return a.id === null ? b.id === null && a.name === b.name : a.id === b.id;
}

function placeOf(world: World, message: Message): { guildId: string | null; direct: boolean; at: Record<string, unknown> } {
	const guildId = world.guildIdOfChannel(message.channel_id) ?? null;
	const at = { channel_id: message.channel_id, message_id: message.id, ...(guildId !== null && { guild_id: guildId }) };
	return { guildId, direct: guildId === null, at };
}

export function addReaction(world: World, message: Message, emoji: Emoji, userId: string): void {
	const reactions = (message.reactions as Reaction[] | undefined) ?? [];
	const mine = userId === world.bot.id;
	const same = reactions.find((reaction) => sameEmoji(reaction.emoji, emoji));
	if (same && mine && same.me) return;
	const changed = same
		? reactions.map((reaction) => (reaction === same ? { ...same, count: same.count + 1, me: same.me || mine } : reaction))
		: [...reactions, { emoji, count: 1, me: mine }];
	world.messages.add({ ...message, reactions: changed });
	const { guildId, direct, at } = placeOf(world, message);
	const member = guildId === null ? undefined : world.guilds.read(guildId)?.member(userId);
	world.emit({
		type: 'MESSAGE_REACTION_ADD',
		guildId,
		direct,
		userId,
		data: {
			...at,
			user_id: userId,
			emoji,
			burst: false,
			type: 0,
			message_author_id: message.author.id,
			...(member && { member }),
		},
	});
}

export function removeReaction(world: World, message: Message, emoji: Emoji, userId: string): boolean {
	const reactions = (message.reactions as Reaction[] | undefined) ?? [];
	const same = reactions.find((reaction) => sameEmoji(reaction.emoji, emoji));
	if (!same) return false;
	const mine = userId === world.bot.id;
	const changed = reactions
		.map((reaction) => (reaction === same ? { ...same, count: same.count - 1, me: same.me && !mine } : reaction))
		.filter(({ count }) => count > 0);
	world.messages.add({ ...message, reactions: changed });
	const { guildId, direct, at } = placeOf(world, message);
	world.emit({
		type: 'MESSAGE_REACTION_REMOVE',
		guildId,
		direct,
		userId,
		data: { ...at, user_id: userId, emoji, burst: false, type: 0 },
	});
	return true;
}

export function clearReactions(world: World, message: Message, emoji?: Emoji): void {
	const reactions = (message.reactions as Reaction[] | undefined) ?? [];
	world.messages.add({ ...message, reactions: emoji ? reactions.filter((reaction) => !sameEmoji(reaction.emoji, emoji)) : [] });
	const { guildId, direct, at } = placeOf(world, message);
	if (emoji) world.emit({ type: 'MESSAGE_REACTION_REMOVE_EMOJI', guildId, direct, data: { ...at, emoji } });
	else world.emit({ type: 'MESSAGE_REACTION_REMOVE_ALL', guildId, direct, data: at });
}

export function setPinned(world: World, message: Message, pinned: boolean): void {
	world.messages.add({ ...message, pinned });
	const { guildId, direct, at } = placeOf(world, message);
	const { message_id: _, ...place } = at;
	const last = pinned ? new Date(world.clock.now()).toISOString() : null;
	world.emit({ type: 'CHANNEL_PINS_UPDATE', guildId, direct, data: { ...place, last_pin_timestamp: last } });
}
