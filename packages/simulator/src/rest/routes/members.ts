// Members, roles and bans of a guild. Discord: Guild.
import { addMember, banMember, removeMember, unbanMember, updateMember } from '../../world/changes/members.js';
import { createRole, deleteRole, updateRole } from '../../world/changes/roles.js';
import { moveInVoice } from '../../world/changes/voice.js';
import type { Member } from '../../world/model.js';
import { found, noContent, ok, type RestAnswer } from '../answer.js';
import { type Route, type RouteContext, route } from '../route.js';
import { guildOf } from './guilds.js';

function memberOf(context: RouteContext): Member {
	const { userId } = context.params;
	return found(guildOf(context).member(userId === '@me' ? context.world.bot.id : (userId as string)), 'member');
}

function limitOf({ query }: RouteContext, most: number, otherwise: number): number {
	return Math.min(most, Math.max(1, Number(query.get('limit') ?? otherwise) || otherwise));
}

function listMembers(context: RouteContext): RestAnswer {
	const guild = guildOf(context);
	const after = BigInt(context.query.get('after')?.match(/^\d+$/)?.[0] ?? 0);
	const members = [guild.bot, ...guild.members.all()].filter(({ user }) => BigInt(user.id) > after);
	members.sort((a, b) => (BigInt(a.user.id) < BigInt(b.user.id) ? -1 : 1));
	return ok(members.slice(0, limitOf(context, 1000, 1)));
}

function searchMembers(context: RouteContext): RestAnswer {
	const guild = guildOf(context);
	const prefix = (context.query.get('query') ?? '').toLowerCase();
	const limit = limitOf(context, 1000, 1);
	const members: Member[] = [];
	for (const member of guild.members.all()) {
		if (member.user.username.toLowerCase().startsWith(prefix) || member.nick?.toLowerCase().startsWith(prefix))
			members.push(member);
		if (members.length === limit) break;
	}
	return ok(members);
}

function patchMember(context: RouteContext): RestAnswer {
	const { world, body } = context;
	const guildId = guildOf(context).id;
	const { channel_id: channelId, mute, deaf, ...fields } = body;
	const userId = memberOf(context).user.id;
	if (channelId !== undefined || mute !== undefined || deaf !== undefined) {
		const current = guildOf(context).voiceStates.get(userId)?.channel_id ?? null;
		const state = { ...(mute !== undefined && { mute }), ...(deaf !== undefined && { deaf }) };
		moveInVoice(world, { guildId, userId, channelId: channelId === undefined ? current : (channelId as string | null), state });
	}
	if (Object.keys(fields).length === 0) return ok(memberOf(context));
	return ok(found(updateMember(world, guildId, userId, fields), 'member'));
}

function changeRole(context: RouteContext, change: (roles: string[], roleId: string) => string[]): RestAnswer {
	const guild = guildOf(context);
	const { id: roleId } = found(guild.roles.get(context.params.roleId as string), 'role');
	const member = memberOf(context);
	updateMember(context.world, guild.id, member.user.id, { roles: change(member.roles, roleId) });
	return noContent;
}

const member = '/guilds/:guildId/members/:userId';

export const memberRoutes: readonly Route[] = [
	route('GET', '/guilds/:guildId/members', listMembers),
	route('GET', '/guilds/:guildId/members/search', searchMembers),
	route('GET', member, (context) => ok(memberOf(context))),
	route('PATCH', member, patchMember),
	route('PUT', member, (context) => {
		const user = found(context.world.user(context.params.userId as string), 'user');
		const known = guildOf(context).member(user.id) !== undefined;
		const added = addMember(context.world, guildOf(context).id, user);
		return known ? noContent : ok(added, 201);
	}),
	route('DELETE', member, (context) => {
		removeMember(context.world, guildOf(context).id, memberOf(context).user.id);
		return noContent;
	}),
	route('PUT', `${member}/roles/:roleId`, (context) => changeRole(context, (roles, id) => [...new Set([...roles, id])])),
	route('DELETE', `${member}/roles/:roleId`, (context) =>
		changeRole(context, (roles, id) => roles.filter((role) => role !== id)),
	),
	route('GET', '/guilds/:guildId/bans', (context) => ok([...guildOf(context).bans.values()])),
	route('GET', '/guilds/:guildId/bans/:userId', (context) =>
		ok(found(guildOf(context).bans.get(context.params.userId as string), 'ban')),
	),
	route('PUT', '/guilds/:guildId/bans/:userId', (context) => {
		const user = found(context.world.user(context.params.userId as string), 'user');
		banMember(context.world, guildOf(context).id, user);
		return noContent;
	}),
	route('DELETE', '/guilds/:guildId/bans/:userId', (context) => {
		found(unbanMember(context.world, guildOf(context).id, context.params.userId as string) || undefined, 'ban');
		return noContent;
	}),
	route('GET', '/guilds/:guildId/roles', (context) => ok([...guildOf(context).roles.values()])),
	route('POST', '/guilds/:guildId/roles', (context) => ok(createRole(context.world, guildOf(context).id, context.body))),
	route('GET', '/guilds/:guildId/roles/:roleId', (context) =>
		ok(found(guildOf(context).roles.get(context.params.roleId as string), 'role')),
	),
	route('PATCH', '/guilds/:guildId/roles/:roleId', (context) => {
		const { world, params, body } = context;
		return ok(found(updateRole(world, guildOf(context).id, params.roleId as string, body), 'role'));
	}),
	route('DELETE', '/guilds/:guildId/roles/:roleId', (context) => {
		found(deleteRole(context.world, guildOf(context).id, context.params.roleId as string) || undefined, 'role');
		return noContent;
	}),
];
