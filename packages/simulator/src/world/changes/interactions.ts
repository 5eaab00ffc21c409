// People use the bot's commands, and the bot answers.
import { randomBytes } from 'node:crypto';
import type { PendingInteraction } from '../interaction-book.js';
import type { Command, Message, User } from '../model.js';
import { allPermissions, effectivePermissions } from '../permissions.js';
import type { World } from '../world.js';
import { composeMessage, sendMessage } from './messages.js';

export interface NewInteraction {
	/** 2 application command (default), 3 component, 4 autocomplete, 5 modal submit. */
	type?: number;
	channelId: string;
	user: User;
	/** What Discord calls the interaction's data. */
	data?: Record<string, unknown>;
	message?: Message;
}

/** A user interacts with the bot. Reaches the shard of the guild, or shard 0 from a direct message. */
export function createInteraction(
	world: World,
	{ type = 2, channelId, user, data, message }: NewInteraction,
): PendingInteraction | undefined {
	const channel = world.channel(channelId);
	if (!channel) return undefined;
	const guildId = channel.guild_id ?? world.guildIdOfChannel(channelId) ?? null;
	const guild = guildId === null ? undefined : world.guilds.read(guildId);
	const pending: PendingInteraction = {
		id: world.ids.next(),
		token: randomBytes(48).toString('base64url'),
		type,
		createdAtMs: world.clock.monotonic(),
		channelId,
		guildId,
		userId: user.id,
		respondedAtMs: null,
		callbackType: null,
		message: message ?? null,
		followed: false,
		modal: null,
	};
	world.interactions.add(pending);
	const member =
		guild?.member(user.id) ?? (guild && { user, roles: [], nick: null, joined_at: new Date(world.clock.now()).toISOString() });
	world.emit({
		type: 'INTERACTION_CREATE',
		guildId,
		data: {
			id: pending.id,
			application_id: world.applicationId,
			type,
			data,
			token: pending.token,
			version: 1,
			channel_id: channelId,
			channel,
			...(guild
				? { guild_id: guildId, guild: { id: guildId, locale: 'en-US', features: guild.fields.features }, guild_locale: 'en-US' }
				: {}),
			...(member ? { member: { ...member, user, permissions: allPermissions, deaf: false, mute: false } } : { user }),
			...(message && { message }),
			app_permissions: effectivePermissions(world.botPermissions),
			locale: 'en-US',
			entitlements: [],
			authorizing_integration_owners: integrationOwners(guildId, user.id),
			context: guildId === null ? 1 : 0,
			attachment_size_limit: 10_485_760,
		},
	});
	return pending;
}

/** Who installed the bot where it was used: the guild, or the user. */
function integrationOwners(guildId: string | null, userId: string): Record<string, string> {
	return guildId === null ? { 1: userId } : { 0: guildId };
}

/** The data of using a chat input command. */
export function commandData(command: Command, options: readonly unknown[] = []): Record<string, unknown> {
	return { id: command.id, name: command.name, type: (command.type as number | undefined) ?? 1, options };
}

const ephemeral = 1 << 6;

/** The bot answers with a message: visible to all unless it is ephemeral, which reaches only shard 0. */
export function answerWithMessage(world: World, interaction: PendingInteraction, fields: Record<string, unknown>): Message {
	const draft = {
		channelId: interaction.channelId,
		author: world.bot,
		content: typeof fields.content === 'string' ? fields.content : '',
		fields: {
			...fields,
			type: interaction.type === 2 ? 20 : 0,
			webhook_id: world.applicationId,
			application_id: world.applicationId,
			interaction_metadata: {
				id: interaction.id,
				type: interaction.type,
				user: world.user(interaction.userId),
				authorizing_integration_owners: integrationOwners(interaction.guildId, interaction.userId),
			},
		},
	};
	if ((Number(fields.flags ?? 0) & ephemeral) === 0) return sendMessage(world, draft) ?? composeMessage(world, draft);
	const message = composeMessage(world, draft);
	world.messages.add(message);
	world.emit({ type: 'MESSAGE_CREATE', guildId: null, direct: true, data: message, userId: world.bot.id });
	return message;
}
