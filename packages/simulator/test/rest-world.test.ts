// What bots do over REST changes the world, and is sent back as the event that Discord would send: seen through discord.js, whose
// caches are built from those events.

import { fakeClock, waitFor } from '@shardctl/test-support';
import {
	ChannelType,
	Client,
	Events,
	type GatewayDispatchEvents,
	GatewayIntentBits,
	type Guild,
	type TextChannel,
} from 'discord.js';
import { expect, onTestFinished, test } from 'vitest';
import type { Simulator } from '../src/index.js';
import { connected, rest, simulator } from './raw-client.js';

async function start(): Promise<{ sim: Simulator; client: Client<true>; guild: Guild; channel: TextChannel }> {
	const sim = await simulator({ guilds: 2, guildSizes: { min: 300, max: 300 }, rest: { buckets: false, globalPerSecond: 1e6 } });
	const client = new Client({
		intents: [
			GatewayIntentBits.Guilds,
			GatewayIntentBits.GuildMembers,
			GatewayIntentBits.GuildModeration,
			GatewayIntentBits.GuildMessages,
			GatewayIntentBits.GuildMessageReactions,
			GatewayIntentBits.GuildVoiceStates,
			GatewayIntentBits.DirectMessages,
			GatewayIntentBits.MessageContent,
			GatewayIntentBits.GuildWebhooks,
		],
		rest: { api: sim.url },
	});
	onTestFinished(() => client.destroy());
	const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve));
	await client.login(sim.token);
	await ready;
	const guild = client.guilds.cache.first() as Guild;
	const channel = guild.channels.cache.find((one) => one.type === ChannelType.GuildText) as TextChannel;
	return { sim, client: client as Client<true>, guild, channel };
}

/** The data of the next dispatch of this type; discord.js emits it before it applies it, independent of the REST response. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the server sends
function dispatched(client: Client, type: string): Promise<any> {
	return new Promise((resolve) => client.ws.once(type as GatewayDispatchEvents, resolve));
}

test('channels: create, edit, permissions, delete', async () => {
	const { client, guild } = await start();
	const created = dispatched(client, 'CHANNEL_CREATE');
	const channel = await guild.channels.create({ name: 'new-place', topic: 'x' });
	expect((await created).id).toBe(channel.id);
	const updated = dispatched(client, 'CHANNEL_UPDATE');
	await channel.setTopic('another topic');
	await updated;
	expect((guild.channels.cache.get(channel.id) as TextChannel).topic).toBe('another topic');
	await channel.permissionOverwrites.create(guild.roles.everyone, { SendMessages: false });
	await waitFor('the overwrite', () => channel.permissionOverwrites.cache.size === 1);
	const deleted = dispatched(client, 'CHANNEL_DELETE');
	await channel.delete();
	expect((await deleted).id).toBe(channel.id);
	expect(guild.channels.cache.has(channel.id)).toBe(false);
});

test('threads: start, write, archive, delete', async () => {
	const { client, channel } = await start();
	const created = dispatched(client, 'THREAD_CREATE');
	const thread = await channel.threads.create({ name: 'a thread' });
	await created;
	const heard = dispatched(client, 'MESSAGE_CREATE');
	await thread.send('in the thread');
	expect(await heard).toMatchObject({ content: 'in the thread', channel_id: thread.id });
	const message = await channel.send('start here');
	const below = await message.startThread({ name: 'below' });
	expect(below.id).toBe(message.id);
	await thread.setArchived(true);
	await waitFor('the archive', () => thread.archived);
	const deleted = dispatched(client, 'THREAD_DELETE');
	await thread.delete();
	await deleted;
});

test('messages: send with a file and an embed, fetch, edit, pin, bulk delete', async () => {
	const { client, channel } = await start();
	const sent = await channel.send({
		content: 'one',
		embeds: [{ title: 't' }],
		files: [{ attachment: Buffer.from('data'), name: 'a.txt' }],
	});
	expect([sent.attachments.first()?.name, sent.embeds[0]?.title]).toEqual(['a.txt', 't']);
	const updated = dispatched(client, 'MESSAGE_UPDATE');
	await sent.edit('two');
	await updated;
	await sent.pin();
	expect((await channel.messages.fetch({ message: sent.id, force: true })).pinned).toBe(true);
	const more = [await channel.send('a'), await channel.send('b')];
	expect([...(await channel.messages.fetch({ limit: 2 })).keys()]).toEqual([more[1]?.id, more[0]?.id]);
	const bulk = dispatched(client, 'MESSAGE_DELETE_BULK');
	await channel.bulkDelete(more);
	expect((await bulk).ids.sort()).toEqual(more.map(({ id }) => id));
	const deleted = dispatched(client, 'MESSAGE_DELETE');
	await sent.delete();
	await deleted;
	await expect(channel.messages.fetch({ message: sent.id, force: true })).rejects.toMatchObject({ code: 10_008 });
	await expect(channel.send('')).rejects.toMatchObject({ code: 50_006 });
});

test('reactions: add and remove', async () => {
	const { client, channel } = await start();
	const message = await channel.send('react');
	const added = dispatched(client, 'MESSAGE_REACTION_ADD');
	await message.react('👍');
	expect(await added).toMatchObject({ user_id: client.user.id, message_id: message.id, emoji: { name: '👍' } });
	const removed = dispatched(client, 'MESSAGE_REACTION_REMOVE');
	await message.reactions.cache.first()?.users.remove();
	await removed;
});

test('members: fetch, nick, roles, kick, ban, unban', async () => {
	const { client, guild } = await start();
	const members = await guild.members.fetch();
	expect(members.size).toBe(301);
	const [member, other] = [...members.filter(({ user }) => !user.bot).values()];
	if (!member || !other) throw new Error('no members');
	const role = await guild.roles.create({ name: 'made here' });
	await member.roles.add(role);
	await waitFor('the role', () => guild.members.cache.get(member.id)?.roles.cache.has(role.id));
	await member.setNickname('nick');
	await waitFor('the nick', () => guild.members.cache.get(member.id)?.nickname === 'nick');
	const gone = dispatched(client, 'GUILD_MEMBER_REMOVE');
	await member.kick();
	expect((await gone).user.id).toBe(member.id);
	const banned = dispatched(client, 'GUILD_BAN_ADD');
	await other.ban();
	expect((await banned).user.id).toBe(other.id);
	await guild.bans.remove(other.id);
	await waitFor('two members fewer', () => guild.memberCount === 299);
	await role.edit({ name: 'renamed' });
	await waitFor('the name', () => guild.roles.cache.get(role.id)?.name === 'renamed');
	await role.delete();
	await waitFor('the end of the role', () => !guild.roles.cache.has(role.id));
});

test('a direct message, a webhook, the guild itself, the own name', async () => {
	const { client, guild, channel } = await start();
	const dm = await client.users.createDM(guild.ownerId);
	const heard = dispatched(client, 'MESSAGE_CREATE');
	await dm.send('psst');
	expect(await heard).not.toHaveProperty('guild_id');
	const webhook = await channel.createWebhook({ name: 'hook' });
	expect(await webhook.send('through the hook')).toMatchObject({ content: 'through the hook', webhookId: webhook.id });
	const renamed = dispatched(client, 'GUILD_UPDATE');
	await guild.setName('Another name');
	expect((await renamed).name).toBe('Another name');
	expect(guild.name).toBe('Another name');
	await client.user.setUsername('New Name');
	expect(client.user.username).toBe('New Name');
});

test('leaving a guild sends its GUILD_DELETE', async () => {
	const { client, guild, sim } = await start();
	const left = dispatched(client, 'GUILD_DELETE');
	await guild.leave();
	expect((await left).id).toBe(guild.id);
	expect(sim.state().guilds).toBe(1);
});

test('commands: global and in a guild, replaced, fetched, deleted', async () => {
	const { client, guild } = await start();
	await client.application.commands.set([
		{ name: 'one', description: 'x' },
		{ name: 'two', description: 'x' },
	]);
	const replaced = await client.application.commands.set([{ name: 'two', description: 'y' }]);
	expect([...replaced.values()].map(({ name, description }) => [name, description])).toEqual([['two', 'y']]);
	const local = await guild.commands.create({ name: 'local', description: 'x' });
	expect([...(await guild.commands.fetch()).keys()]).toEqual([local.id]);
	await local.edit({ description: 'z' });
	await local.delete();
	expect((await guild.commands.fetch()).size).toBe(0);
});

test('an unknown route returns 404 as Discord does, and is in the log', async () => {
	const sim = await simulator();
	expect(await rest(sim, '/nothing/here')).toMatchObject({ status: 404, json: { message: '404: Not Found', code: 0 } });
	expect(sim.log.entries({ type: 'unknown-route' })).toMatchObject([{ method: 'GET', path: '/api/v10/nothing/here' }]);
	expect(await rest(sim, '/channels/1')).toMatchObject({ status: 404, json: { message: 'Unknown Channel', code: 10_003 } });
	expect((await rest(sim, '/gateway', { method: 'PATCH' })).status).toBe(405);
	const bad = await fetch(`${sim.url}/v10/users/@me/channels`, {
		method: 'POST',
		headers: { authorization: `Bot ${sim.token}`, 'content-type': 'application/json' },
		body: '{',
	});
	expect([bad.status, ((await bad.json()) as { code: number }).code]).toEqual([400, 50_109]);
});

test('an interaction accepts one response, within three seconds', async () => {
	const clock = fakeClock();
	const sim = await simulator({ clock });
	const client = await connected(sim);
	const interaction = async () => {
		sim.emit('INTERACTION_CREATE');
		const { d } = await client.next('INTERACTION_CREATE');
		return `/interactions/${d.id}/${d.token}/callback`;
	};
	const [quick, late] = [await interaction(), await interaction()];
	const answer = (path: string) => rest(sim, path, { method: 'POST', body: { type: 4, data: { content: 'x' } }, token: null });
	expect((await answer(quick)).status).toBe(204);
	expect(await answer(quick)).toMatchObject({ status: 400, json: { code: 40_060 } });
	await clock.advance(3001);
	expect(await answer(late)).toMatchObject({ status: 404, json: { code: 10_062 } });
	expect(sim.state().interactions).toEqual({ created: 2, answered: 1 });
});
