// Makes something happen in the world by the name of its event. Where the event is known, what is left out of the data is made
// up and the world changes with it; any other event is sent as it is, to the shard of its `guild_id`.

import { joinGuild, leaveGuild } from './world/changes/guilds.js';
import { commandData, createInteraction } from './world/changes/interactions.js';
import { sendMessage } from './world/changes/messages.js';
import { channelTypes, type User } from './world/model.js';
import type { World } from './world/world.js';

export interface EmitOptions {
	/** The guild in which it happens; else `data.guild_id`, else the first guild where the event needs one. */
	guildId?: string;
	/** Who does it; else somebody of the guild. */
	userId?: string;
}

/** Answers the id of what came into being (message, interaction, guild), where something did. */
export function emit(
	world: World,
	type: string,
	data: Record<string, unknown> = {},
	options: EmitOptions = {},
): string | undefined {
	const guildId = options.guildId ?? (typeof data.guild_id === 'string' ? data.guild_id : undefined);
	switch (type) {
		case 'MESSAGE_CREATE': {
			const { channelId, user } = scene(world, guildId, data, options);
			const { content, author: _, channel_id: __, guild_id: ___, ...fields } = data;
			return channelId && sendMessage(world, { channelId, author: user, content: textOr(content, 'hello'), fields })?.id;
		}
		case 'INTERACTION_CREATE': {
			const { channelId, user } = scene(world, guildId, data, options);
			const command = [...world.commands.values()].find(({ name }) => data.name === undefined || name === data.name);
			const use = (data.data as Record<string, unknown> | undefined) ?? (command && commandData(command));
			const named = use ?? { id: world.ids.next(), name: textOr(data.name, 'ping'), type: 1 };
			return channelId && createInteraction(world, { type: Number(data.type ?? 2), channelId, user, data: named })?.id;
		}
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

function textOr(value: unknown, otherwise: string): string {
	return typeof value === 'string' ? value : otherwise;
}

/** Where it happens and who does it. */
function scene(
	world: World,
	guildId: string | undefined,
	data: Record<string, unknown>,
	{ userId }: EmitOptions,
): { channelId: string | undefined; user: User } {
	const given = typeof data.channel_id === 'string' ? data.channel_id : undefined;
	const channelGuild = given === undefined ? undefined : world.guildIdOfChannel(given);
	const somewhere = given !== undefined ? channelGuild : (guildId ?? world.guilds.idAt(0));
	const guild = somewhere === undefined ? undefined : world.guilds.read(somewhere);
	const direct = given === undefined ? undefined : world.directChannels.get(given);
	const recipient = direct?.type === channelTypes.dm ? (direct.recipients as User[])[0] : undefined;
	const channelId = given ?? (guild && world.firstTextChannel(guild)?.id);
	const author = (data.author as User | undefined) ?? (userId === undefined ? undefined : world.user(userId));
	return { channelId, user: author ?? recipient ?? guild?.members.stretchMember(0).user ?? world.population.user(0) };
}
