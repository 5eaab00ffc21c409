// What happens to whole guilds: the bot joins or leaves, one goes into an outage and comes back, or is edited.
import type { Guild } from '../guild.js';
import type { World } from '../world.js';

/** The bot is now in this guild. GUILD_CREATE differs from session to session, so the event carries no data of its own. */
export function announceGuild(world: World, guildId: string): void {
	world.emit({ type: 'GUILD_CREATE', guildId, data: { id: guildId } });
}

export function joinGuild(world: World, guild: Guild): void {
	world.guilds.add(guild);
	for (const channelId of guild.channels.keys()) world.channelGuilds.set(channelId, guild.id);
	announceGuild(world, guild.id);
}

/** The bot was removed from the guild, or left it: no `unavailable` in the event. */
export function leaveGuild(world: World, guildId: string): boolean {
	if (!world.guilds.remove(guildId)) return false;
	world.emit({ type: 'GUILD_DELETE', guildId, data: { id: guildId } });
	return true;
}

/** Starts or ends an outage. */
export function setAvailability(world: World, guildId: string, available: boolean): boolean {
	const guild = world.guilds.edit(guildId);
	if (!guild) return false;
	if (guild.available === available) return true;
	guild.available = available;
	if (available) announceGuild(world, guildId);
	else world.emit({ type: 'GUILD_DELETE', guildId, data: { id: guildId, unavailable: true } });
	return true;
}

/** More or fewer guilds of the seed. */
export function resizeGuilds(world: World, count: number): void {
	const { added, removed } = world.guilds.resize(count);
	for (const guildId of removed) world.emit({ type: 'GUILD_DELETE', guildId, data: { id: guildId } });
	for (const guildId of added) announceGuild(world, guildId);
}

export function updateGuild(world: World, guildId: string, fields: Record<string, unknown>): Guild | undefined {
	const guild = world.guilds.edit(guildId);
	if (!guild) return undefined;
	Object.assign(guild.fields, fields, { id: guildId });
	world.emit({ type: 'GUILD_UPDATE', guildId, data: guild.toRest(), inGuildState: true });
	return guild;
}
