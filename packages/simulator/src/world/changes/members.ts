// People join, change, leave, are banned.
import { plainMember } from '../members.js';
import type { Member, User } from '../model.js';
import type { World } from '../world.js';

export function addMember(world: World, guildId: string, user: User): Member | undefined {
	const guild = world.guilds.edit(guildId);
	if (!guild || guild.member(user.id)) return guild?.member(user.id);
	const member = plainMember(user, new Date(world.clock.now()).toISOString());
	guild.members.set(member);
	world.emit({ type: 'GUILD_MEMBER_ADD', guildId, data: { ...member, guild_id: guildId }, userId: user.id, inGuildState: true });
	return member;
}

export function updateMember(world: World, guildId: string, userId: string, fields: Record<string, unknown>): Member | undefined {
	const guild = world.guilds.edit(guildId);
	const before = guild?.member(userId);
	if (!guild || !before) return undefined;
	const member: Member = { ...before, ...fields, user: before.user };
	if (userId === guild.bot.user.id) Object.assign(guild.bot, member);
	else guild.members.set(member);
	world.emit({ type: 'GUILD_MEMBER_UPDATE', guildId, data: { ...member, guild_id: guildId }, userId, inGuildState: true });
	return member;
}

/** Leaves or is kicked; out of voice as well. */
export function removeMember(world: World, guildId: string, userId: string): boolean {
	const guild = world.guilds.edit(guildId);
	const member = guild?.members.get(userId);
	if (!guild || !member) return false;
	guild.members.delete(userId);
	guild.voiceStates.delete(userId);
	guild.presences.delete(userId);
	world.emit({
		type: 'GUILD_MEMBER_REMOVE',
		guildId,
		data: { guild_id: guildId, user: member.user },
		userId,
		inGuildState: true,
	});
	return true;
}

export function banMember(world: World, guildId: string, user: User, reason: string | null = null): boolean {
	const guild = world.guilds.edit(guildId);
	if (!guild) return false;
	guild.bans.set(user.id, { user, reason });
	removeMember(world, guildId, user.id);
	world.emit({ type: 'GUILD_BAN_ADD', guildId, data: { guild_id: guildId, user }, inGuildState: true });
	return true;
}

export function unbanMember(world: World, guildId: string, userId: string): boolean {
	const guild = world.guilds.edit(guildId);
	const ban = guild?.bans.get(userId);
	if (!guild || !ban) return false;
	guild.bans.delete(userId);
	world.emit({ type: 'GUILD_BAN_REMOVE', guildId, data: { guild_id: guildId, user: ban.user }, inGuildState: true });
	return true;
}

export function setPresence(world: World, guildId: string, userId: string, status: string): boolean {
	const guild = world.guilds.edit(guildId);
	if (!guild?.member(userId)) return false;
	const presence = {
		user: { id: userId },
		status,
		activities: [],
		client_status: status === 'offline' ? {} : { desktop: status },
	};
	if (status === 'offline') guild.presences.delete(userId);
	else guild.presences.set(userId, presence);
	world.emit({ type: 'PRESENCE_UPDATE', guildId, data: { ...presence, guild_id: guildId }, userId, inGuildState: true });
	return true;
}
