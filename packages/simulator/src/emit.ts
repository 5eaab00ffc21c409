// Makes something happen in the world by the name of its event. Where the event is known, what is left out of the data is made
// up and the world changes with it; any other event is sent as it is, to the shard of its `guild_id`.
import { ShardctlError } from '@shardctl/core';
import { joinGuild, leaveGuild } from './world/changes/guilds.js';
import { createInteraction } from './world/changes/interactions.js';
import { sendMessage } from './world/changes/messages.js';
import { commandUse, componentUse, type InteractionDraft, modalSubmit, pressedComponent } from './world/interaction-data.js';
import { findChannel, findGuildId, findUser } from './world/lookup.js';
import { channelTypes, type User } from './world/model.js';
import type { World } from './world/world.js';

export interface EmitOptions {
	/** The guild in which it happens, by id or name; else `data.guild_id`, else the first guild where the event needs one. */
	guildId?: string;
	/** Who does it, by id or name; else a member of the guild. */
	userId?: string;
}

const interactionTypes = { command: 2, component: 3, autocomplete: 4, modalSubmit: 5 } as const;

/**
 * Returns the id of what was created (message, interaction, guild), where something was.
 *
 * @throws {ShardctlError} `OPTIONS_INVALID` when the data names something that is not there.
 */
export function emit(
	world: World,
	type: string,
	data: Record<string, unknown> = {},
	options: EmitOptions = {},
): string | undefined {
	const guildId = givenGuild(world, options.guildId ?? (typeof data.guild_id === 'string' ? data.guild_id : undefined));
	switch (type) {
		case 'MESSAGE_CREATE': {
			const { channelId, user } = scene(world, guildId, data, options);
			const { content, author: _, channel_id: __, guild_id: ___, ...fields } = data;
			return channelId && sendMessage(world, { channelId, author: user, content: textOr(content, 'hello'), fields })?.id;
		}
		case 'INTERACTION_CREATE':
			return interact(world, guildId, data, options);
		case 'GUILD_CREATE': {
			const id = typeof data.id === 'string' ? data.id : world.ids.next();
			if (!world.guilds.has(id)) joinGuild(world, world.plan.buildAs(id, data));
			return id;
		}
		case 'GUILD_DELETE':
			if (guildId ?? data.id) leaveGuild(world, String(guildId ?? data.id));
			return undefined;
		default:
			world.emit({ type, guildId: guildId ?? null, data, ...(options.userId !== undefined && { userId: options.userId }) });
			return undefined;
	}
}

/** An interaction of any type. `data.data`, where it is given, is sent as it is; else it is built from the rest. */
function interact(
	world: World,
	guildId: string | undefined,
	data: Record<string, unknown>,
	options: EmitOptions,
): string | undefined {
	const draft = data as InteractionDraft;
	const type = Number(data.type ?? interactionTypes.command);
	const raw = data.data as Record<string, unknown> | undefined;
	if (type === interactionTypes.component && !raw) {
		const { message, component } = pressedComponent(world, draft);
		const here = { ...data, channel_id: message.channel_id };
		const { channelId, user, guild } = scene(world, guildId, here, options, interactingUser(message));
		return (
			channelId &&
			createInteraction(world, { type, channelId, user, message, data: componentUse({ world, guild }, component, draft) })?.id
		);
	}
	if (type === interactionTypes.modalSubmit && !raw) {
		const opener = world.interactions.newest(
			({ modal }) => modal !== null && (draft.custom_id ?? modal.custom_id) === modal.custom_id,
		);
		if (!opener && draft.custom_id === undefined) {
			throw new ShardctlError(
				'OPTIONS_INVALID',
				'the bot has opened no form; use the command, or press the button, that opens one',
			);
		}
		const here = opener ? { ...data, channel_id: opener.channelId } : data;
		const { channelId, user } = scene(world, guildId, here, options, opener && world.user(opener.userId));
		const message = opener?.type === interactionTypes.component ? (opener.message ?? undefined) : undefined;
		const submitted = modalSubmit(opener?.modal ?? undefined, draft);
		if (opener) opener.modal = null;
		return channelId && createInteraction(world, { type, channelId, user, data: submitted, ...(message && { message }) })?.id;
	}
	const { channelId, user, guild } = scene(world, guildId, data, options);
	return channelId && createInteraction(world, { type, channelId, user, data: raw ?? commandUse({ world, guild }, draft) })?.id;
}

/** The user of the command that a message responds to. */
function interactingUser({ interaction_metadata: about }: Record<string, unknown>): User | undefined {
	return (about as { user?: User } | undefined)?.user;
}

function textOr(value: unknown, otherwise: string): string {
	return typeof value === 'string' ? value : otherwise;
}

/** The id of the guild that was named. An id that is not known stays what it is: events of other types may be about any. */
function givenGuild(world: World, given: string | undefined): string | undefined {
	if (given === undefined || /^\d+$/.test(given)) return given;
	const id = findGuildId(world, given);
	if (id !== undefined) return id;
	throw new ShardctlError('OPTIONS_INVALID', `the bot is in no guild "${given}"`);
}

/** Where it happens and who does it. */
function scene(
	world: World,
	guildId: string | undefined,
	data: Record<string, unknown>,
	{ userId }: EmitOptions,
	usual?: User,
): { channelId: string | undefined; user: User; guild: ReturnType<World['guilds']['read']> } {
	const named = typeof data.channel_id === 'string' ? data.channel_id : undefined;
	const asked = guildId ?? world.guilds.idAt(0);
	const given =
		named === undefined || /^\d+$/.test(named)
			? named
			: findChannel({ world, guild: asked === undefined ? undefined : world.guilds.read(asked) }, named).id;
	const somewhere = given !== undefined ? world.guildIdOfChannel(given) : asked;
	const guild = somewhere === undefined ? undefined : world.guilds.read(somewhere);
	const direct = given === undefined ? undefined : world.directChannels.get(given);
	const recipient = direct?.type === channelTypes.dm ? (direct.recipients as User[])[0] : undefined;
	const channelId = given ?? (guild && world.firstTextChannel(guild)?.id);
	const author = (data.author as User | undefined) ?? (userId === undefined ? undefined : findUser({ world, guild }, userId));
	const user = author ?? usual ?? recipient ?? guild?.members.stretchMember(0).user ?? world.population.user(0);
	return { channelId, user, guild };
}
