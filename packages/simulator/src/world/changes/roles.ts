// Roles of a guild.
import type { Role } from '../model.js';
import type { World } from '../world.js';

export function createRole(world: World, guildId: string, fields: Record<string, unknown>): Role | undefined {
	const guild = world.guilds.edit(guildId);
	if (!guild) return undefined;
	const role: Role = {
		color: 0,
		colors: { primary_color: Number(fields.color ?? 0), secondary_color: null, tertiary_color: null },
		hoist: false,
		icon: null,
		unicode_emoji: null,
		description: null,
		managed: false,
		mentionable: false,
		flags: 0,
		...fields,
		id: world.ids.next(),
		name: typeof fields.name === 'string' ? fields.name : 'new role',
		permissions: typeof fields.permissions === 'string' ? fields.permissions : '0',
		position: 1,
	};
	guild.roles.set(role.id, role);
	world.emit({ type: 'GUILD_ROLE_CREATE', guildId, data: { guild_id: guildId, role }, inGuildState: true });
	return role;
}

export function updateRole(world: World, guildId: string, roleId: string, fields: Record<string, unknown>): Role | undefined {
	const guild = world.guilds.edit(guildId);
	const before = guild?.roles.get(roleId);
	if (!guild || !before) return undefined;
	const role: Role = { ...before, ...fields, id: roleId };
	guild.roles.set(roleId, role);
	world.emit({ type: 'GUILD_ROLE_UPDATE', guildId, data: { guild_id: guildId, role }, inGuildState: true });
	return role;
}

export function deleteRole(world: World, guildId: string, roleId: string): boolean {
	const guild = world.guilds.edit(guildId);
	if (!guild || roleId === guildId || !guild.roles.delete(roleId)) return false;
	world.emit({ type: 'GUILD_ROLE_DELETE', guildId, data: { guild_id: guildId, role_id: roleId }, inGuildState: true });
	return true;
}
