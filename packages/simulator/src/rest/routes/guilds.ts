// Guilds: the guild itself, its channels, emojis, voice states. Discord: Guild.
import { createChannel, updateChannel } from '../../world/changes/channels.js';
import { updateGuild } from '../../world/changes/guilds.js';
import { moveInVoice } from '../../world/changes/voice.js';
import type { Guild } from '../../world/guild.js';
import { isThread } from '../../world/model.js';
import { found, noContent, ok } from '../answer.js';
import { queryFlag } from '../query-flag.js';
import { type Route, type RouteContext, route } from '../route.js';

export function guildOf({ world, params }: RouteContext): Guild {
	return found(world.guilds.read(params.guildId as string), 'guild');
}

function preview(guild: Guild): object {
	const { id, fields } = guild;
	return {
		id,
		name: fields.name,
		icon: null,
		splash: null,
		discovery_splash: null,
		emojis: [...guild.emojis.values()],
		features: fields.features,
		approximate_member_count: guild.memberCount,
		approximate_presence_count: guild.presences.size,
		description: null,
		stickers: [],
	};
}

export const guildRoutes: readonly Route[] = [
	route('GET', '/guilds/:guildId', (context) => {
		const guild = guildOf(context);
		const counts = { approximate_member_count: guild.memberCount, approximate_presence_count: guild.presences.size };
		return ok({ ...guild.toRest(), ...(queryFlag(context.query, 'with_counts') && counts) });
	}),
	route('PATCH', '/guilds/:guildId', (context) => {
		return ok(found(updateGuild(context.world, guildOf(context).id, context.body), 'guild').toRest());
	}),
	route('GET', '/guilds/:guildId/preview', (context) => ok(preview(guildOf(context)))),
	route('GET', '/guilds/:guildId/channels', (context) =>
		ok([...guildOf(context).channels.values()].filter((channel) => !isThread(channel))),
	),
	route('POST', '/guilds/:guildId/channels', (context) =>
		ok(createChannel(context.world, guildOf(context).id, context.body), 201),
	),
	route('PATCH', '/guilds/:guildId/channels', (context) => {
		guildOf(context);
		const moves = Array.isArray(context.rawBody) ? (context.rawBody as Record<string, unknown>[]) : [];
		for (const { id, ...fields } of moves) updateChannel(context.world, String(id), fields);
		return noContent;
	}),
	route('GET', '/guilds/:guildId/threads/active', (context) => {
		return ok({ threads: [...guildOf(context).channels.values()].filter(isThread), members: [], has_more: false });
	}),
	route('GET', '/guilds/:guildId/emojis', (context) => ok([...guildOf(context).emojis.values()])),
	route('GET', '/guilds/:guildId/emojis/:emojiId', (context) => {
		return ok(found(guildOf(context).emojis.get(context.params.emojiId as string), 'emoji'));
	}),
	route('GET', '/guilds/:guildId/stickers', (context) => ok(guildOf(context) && [])),
	route('GET', '/guilds/:guildId/invites', (context) => ok(guildOf(context) && [])),
	route('GET', '/guilds/:guildId/webhooks', (context) => ok(guildOf(context) && [])),
	route('GET', '/guilds/:guildId/integrations', (context) => ok(guildOf(context) && [])),
	route('GET', '/guilds/:guildId/scheduled-events', (context) => ok(guildOf(context) && [])),
	route('GET', '/guilds/:guildId/audit-logs', (context) => {
		guildOf(context);
		return ok({ audit_log_entries: [], users: [], integrations: [], webhooks: [], threads: [], application_commands: [] });
	}),
	route('GET', '/guilds/:guildId/voice-states/:userId', (context) => {
		const id = context.params.userId === '@me' ? context.world.bot.id : (context.params.userId as string);
		return ok(found(guildOf(context).voiceStates.get(id), 'voiceState'));
	}),
	route('PATCH', '/guilds/:guildId/voice-states/:userId', (context) => {
		const { world, params, body } = context;
		const userId = params.userId === '@me' ? world.bot.id : (params.userId as string);
		const state = found(guildOf(context).voiceStates.get(userId), 'voiceState');
		moveInVoice(world, { guildId: guildOf(context).id, userId, channelId: state.channel_id, state: body });
		return noContent;
	}),
];
