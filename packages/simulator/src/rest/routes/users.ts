// The bot itself, other people, and the application.
import { openDirectChannel } from '../../world/changes/direct-messages.js';
import { leaveGuild } from '../../world/changes/guilds.js';
import type { World } from '../../world/world.js';
import { found, noContent, ok } from '../answer.js';
import { type Route, route } from '../route.js';

function application(world: World): object {
	return {
		id: world.applicationId,
		name: world.bot.username,
		icon: null,
		description: 'A bot in a simulated Discord',
		rpc_origins: [],
		bot_public: true,
		bot_require_code_grant: false,
		bot: world.bot,
		owner: world.population.user(0),
		verify_key: '0'.repeat(64),
		team: null,
		flags: world.applicationFlags,
		approximate_guild_count: world.guilds.count,
		approximate_user_install_count: 0,
		tags: [],
		redirect_uris: [],
		interactions_endpoint_url: null,
		role_connections_verification_url: null,
	};
}

export const userRoutes: readonly Route[] = [
	route('GET', '/users/@me', ({ world }) => ok(world.bot)),
	route('PATCH', '/users/@me', ({ world, body }) => {
		world.bot = { ...world.bot, ...(typeof body.username === 'string' && { username: body.username }) };
		world.emit({ type: 'USER_UPDATE', guildId: null, data: world.bot });
		return ok(world.bot);
	}),
	route('GET', '/users/@me/guilds', ({ world, query }) => {
		const limit = Math.min(200, Number(query.get('limit') ?? 200) || 200);
		const after = BigInt(query.get('after')?.match(/^\d+$/)?.[0] ?? 0);
		const ids: string[] = [];
		for (const id of world.guilds.ids()) {
			if (BigInt(id) > after) ids.push(id);
			if (ids.length === limit) break;
		}
		const guilds = ids.map((id) => world.guilds.read(id)).filter((guild) => guild !== undefined);
		return ok(
			guilds.map(({ id, fields }) => ({
				id,
				name: fields.name,
				icon: null,
				banner: null,
				owner: false,
				permissions: '8',
				features: fields.features,
			})),
		);
	}),
	route('DELETE', '/users/@me/guilds/:guildId', ({ world, params }) => {
		found(leaveGuild(world, params.guildId as string) || undefined, 'guild');
		return noContent;
	}),
	route('POST', '/users/@me/channels', ({ world, body }) => {
		return ok(openDirectChannel(world, found(world.user(String(body.recipient_id)), 'user')));
	}),
	route('GET', '/users/:userId', ({ world, params }) => ok(found(world.user(params.userId as string), 'user'))),
	route('GET', '/applications/@me', ({ world }) => ok(application(world))),
	route('PATCH', '/applications/@me', ({ world }) => ok(application(world))),
	route('GET', '/oauth2/applications/@me', ({ world }) => ok(application(world))),
];
