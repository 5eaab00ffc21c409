// What can happen by itself, one function for each kind: who, where and what is drawn from the random stream.
import { createThread } from '../world/changes/channels.js';
import { commandData, createInteraction } from '../world/changes/interactions.js';
import { addMember, removeMember, setPresence } from '../world/changes/members.js';
import { deleteMessages, editMessage, sendMessage, startTyping } from '../world/changes/messages.js';
import { addReaction, parseEmoji } from '../world/changes/reactions.js';
import { moveInVoice } from '../world/changes/voice.js';
import type { Guild } from '../world/guild.js';
import { type Channel, channelTypes, type User } from '../world/model.js';
import { phrases } from '../world/words.js';
import type { World } from '../world/world.js';

type Random = () => number;

export const eventKindNames = [
	'message',
	'typing',
	'edit',
	'delete',
	'reaction',
	'voice',
	'presence',
	'join',
	'leave',
	'thread',
	'command',
] as const;

export type EventKind = (typeof eventKindNames)[number];

function draw<T>(list: readonly T[], random: Random): T | undefined {
	return list[Math.floor(random() * list.length)];
}

/** The largest of three guilds drawn at random: large ones are more active. */
function someGuild(world: World, random: Random): Guild | undefined {
	const numbers = [random(), random(), random()].map((part) => Math.floor(part * world.guilds.count));
	const sizes = numbers.map((number) => ({ number, size: world.plan.memberCountOf(number) }));
	const { number } = sizes.reduce((largest, one) => (one.size > largest.size ? one : largest));
	const id = world.guilds.idAt(number);
	const guild = id === undefined ? undefined : world.guilds.read(id);
	return guild?.available ? guild : undefined;
}

function someMember(guild: Guild, random: Random): User {
	return guild.members.stretchMember(Math.floor(random() * guild.members.stretchSize)).user;
}

/** A channel, and a member who writes in it. */
function scene(world: World, random: Random): { guild: Guild; channel: Channel; user: User } | undefined {
	const guild = someGuild(world, random);
	if (!guild) return undefined;
	const channel = draw(
		[...guild.channels.values()].filter(({ type }) => type === channelTypes.text),
		random,
	);
	return channel && { guild, channel, user: someMember(guild, random) };
}

function latestMessage(world: World, channel: Channel, random: Random) {
	return draw(world.messages.list(channel.id).slice(0, 10), random);
}

function message(world: World, random: Random): void {
	const at = scene(world, random);
	if (at) sendMessage(world, { channelId: at.channel.id, author: at.user, content: draw(phrases, random) ?? '' });
}

/** Does something to a recent message of somewhere, or writes one where there is none yet. */
function withMessage(
	world: World,
	random: Random,
	act: (found: NonNullable<ReturnType<typeof latestMessage>>, user: User, channel: Channel) => void,
): void {
	const at = scene(world, random);
	if (!at) return;
	const found = latestMessage(world, at.channel, random);
	if (found) act(found, at.user, at.channel);
	else sendMessage(world, { channelId: at.channel.id, author: at.user, content: draw(phrases, random) ?? '' });
}

function moveSomebody(world: World, random: Random): void {
	const guild = someGuild(world, random);
	if (!guild) return;
	const talking = draw([...guild.voiceStates.keys()], random);
	const leaves = talking !== undefined && random() < 0.4;
	const rooms = [...guild.channels.values()].filter(({ type }) => type === channelTypes.voice);
	const userId = leaves ? talking : someMember(guild, random).id;
	moveInVoice(world, { guildId: guild.id, userId, channelId: leaves ? null : (draw(rooms, random)?.id ?? null) });
}

export const eventKinds: Readonly<Record<EventKind, (world: World, random: Random) => void>> = {
	message,
	typing: (world, random) => {
		const at = scene(world, random);
		if (at) startTyping(world, at.channel, at.user.id);
	},
	edit: (world, random) => {
		withMessage(world, random, (found) => editMessage(world, found, { content: `${found.content} (edited)`.slice(0, 200) }));
	},
	delete: (world, random) => withMessage(world, random, (found, _, channel) => deleteMessages(world, channel, [found.id])),
	reaction: (world, random) => {
		const emoji = parseEmoji(draw(['👍', '❤️', '😂', '🎉', '👀'], random) ?? '👍');
		withMessage(world, random, (found, user) => addReaction(world, found, emoji, user.id));
	},
	voice: moveSomebody,
	presence: (world, random) => {
		const guild = someGuild(world, random);
		const status = draw(['online', 'idle', 'dnd', 'offline'], random) ?? 'online';
		if (guild) setPresence(world, guild.id, someMember(guild, random).id, status);
	},
	join: (world, random) => {
		const guild = someGuild(world, random);
		if (guild) addMember(world, guild.id, world.population.user(Math.floor(random() * world.population.size)));
	},
	leave: (world, random) => {
		const guild = someGuild(world, random);
		if (guild && guild.memberCount > 3) removeMember(world, guild.id, someMember(guild, random).id);
	},
	thread: (world, random) => {
		const at = scene(world, random);
		const fields = { name: draw(phrases, random) ?? 'a thread' };
		// Threads are kept in the guild; a few are enough for life.
		if (at && at.guild.channels.size < 100) createThread(world, at.guild.id, { parent: at.channel, fields, ownerId: at.user.id });
	},
	command: (world, random) => {
		const at = scene(world, random);
		const command = draw([...world.commands.values()], random);
		if (at && command) createInteraction(world, { channelId: at.channel.id, user: at.user, data: commandData(command) });
	},
};
