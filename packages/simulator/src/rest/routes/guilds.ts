// Guilds and what is in them. Discord: Guild.

import type { Guild } from '../../world/guild.js';
import { isThread } from '../../world/model.js';
import { found, ok } from '../answer.js';
import { type Route, type RouteContext, route } from '../route.js';

export function guildOf({ world, params }: RouteContext): Guild {
	return found(world.guilds.read(params.guildId as string), 'guild');
}

export const guildRoutes: readonly Route[] = [
	route('GET', '/guilds/:guildId', (context) => {
		const guild = guildOf(context);
		const counts = { approximate_member_count: guild.memberCount, approximate_presence_count: guild.presences.size };
		return ok({ ...guild.toRest(), ...(context.query.get('with_counts') === 'true' && counts) });
	}),
	route('GET', '/guilds/:guildId/channels', (context) =>
		ok([...guildOf(context).channels.values()].filter((channel) => !isThread(channel))),
	),
	route('GET', '/channels/:channelId', ({ world, params }) => ok(found(world.channel(params.channelId as string), 'channel'))),
];
