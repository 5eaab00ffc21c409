// Interactions as users trigger them: named objects are found, and sent to the bot in Discord's form.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Simulator } from '../src/index.js';
import { connected, type RawClient, rest, simulator } from './raw-client.js';

// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the server sends
type Data = any;

async function registered(sim: Simulator, commands: object[]): Promise<void> {
	const { status } = await rest(sim, `/applications/${sim.world.applicationId}/commands`, { method: 'PUT', body: commands });
	expect(status).toBe(200);
}

async function interaction(sim: Simulator, client: RawClient, data: Record<string, unknown>, options = {}): Promise<Data> {
	sim.emit('INTERACTION_CREATE', data, options);
	return (await client.next('INTERACTION_CREATE')).d;
}

function firstGuild(sim: Simulator) {
	const guild = sim.world.guilds.read(sim.world.guilds.idAt(0) as string);
	if (!guild) throw new Error('there is no guild');
	return guild;
}

async function sent(sim: Simulator, components: unknown[]): Promise<Data> {
	const channel = sim.world.firstTextChannel(firstGuild(sim));
	const { json } = await rest(sim, `/channels/${channel?.id}/messages`, {
		method: 'POST',
		body: { content: 'choose', components },
	});
	return json;
}

test('options of a command are typed as registered, and named objects are resolved', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	await registered(sim, [
		{
			name: 'ban',
			description: '-',
			options: [
				{ type: 6, name: 'user', description: '-' },
				{ type: 4, name: 'days', description: '-' },
				{ type: 5, name: 'quiet', description: '-' },
				{ type: 7, name: 'log', description: '-' },
				{ type: 8, name: 'role', description: '-' },
				{ type: 11, name: 'proof', description: '-' },
				{ type: 3, name: 'reason', description: '-' },
			],
		},
	]);
	const guild = firstGuild(sim);
	const { user } = guild.members.stretchMember(1);
	const channel = [...guild.channels.values()].find(({ type }) => type === 0);
	const role = [...guild.roles.values()][1];
	const options = {
		user: user.username,
		days: '7',
		quiet: 'true',
		log: `#${channel?.name}`,
		role: role?.name,
		proof: 'a.png',
		reason: '1',
	};
	const { data } = await interaction(sim, client, { name: 'ban', options });
	expect(data.options.map(({ name, type, value }: Data) => [name, type, name === 'proof' ? 'an id' : value])).toEqual([
		['user', 6, user.id],
		['days', 4, 7],
		['quiet', 5, true],
		['log', 7, channel?.id],
		['role', 8, role?.id],
		['proof', 11, 'an id'],
		['reason', 3, '1'],
	]);
	expect(data.resolved.users[user.id]).toMatchObject({ id: user.id, username: user.username });
	expect(data.resolved.members[user.id]).toMatchObject({ roles: expect.any(Array), permissions: expect.any(String) });
	expect(data.resolved.members[user.id].user).toBeUndefined();
	expect(data.resolved.channels[channel?.id as string]).toMatchObject({ name: channel?.name, type: 0 });
	expect(data.resolved.roles[role?.id as string]).toMatchObject({ name: role?.name });
	expect(data.resolved.attachments[data.options[5].value]).toMatchObject({ filename: 'a.png' });
});

test('subcommands, autocomplete and the context menu have their own forms', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	const set = { type: 1, name: 'set', description: '-', options: [{ type: 4, name: 'level', description: '-' }] };
	await registered(sim, [
		{ name: 'config', description: '-', options: [{ type: 2, name: 'log', description: '-', options: [set] }] },
		{ name: 'Report', type: 3 },
		{ name: 'Avatar', type: 2 },
	]);
	expect((await interaction(sim, client, { name: 'config log set', options: { level: 3 } })).data.options).toEqual([
		{ name: 'log', type: 2, options: [{ name: 'set', type: 1, options: [{ name: 'level', type: 4, value: 3 }] }] },
	]);
	const typing = await interaction(sim, client, { type: 4, name: 'config log set', options: { level: 'x' }, focused: 'level' });
	expect(typing).toMatchObject({ type: 4, data: { options: [{ options: [{ options: [{ value: 'x', focused: true }] }] }] } });
	const message = await sent(sim, []);
	const report = (await interaction(sim, client, { name: 'Report', target: message.id })).data;
	expect(report).toMatchObject({
		type: 3,
		target_id: message.id,
		resolved: { messages: { [message.id]: { content: 'choose' } } },
	});
	const { user } = firstGuild(sim).members.stretchMember(2);
	const avatar = (await interaction(sim, client, { name: 'Avatar', target: user.username })).data;
	expect(avatar).toMatchObject({ type: 2, target_id: user.id, resolved: { users: { [user.id]: { username: user.username } } } });
});

test('a component includes its message; a button is found by custom id or label, a menu by value, label or name', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	const message = await sent(sim, [
		{
			type: 1,
			components: [
				{ type: 2, style: 1, custom_id: 'yes', label: 'Yes!' },
				{ type: 2, style: 5, url: 'https://example.com' },
			],
		},
		{
			type: 1,
			components: [
				{
					type: 3,
					custom_id: 'size',
					options: [
						{ value: 's', label: 'Small' },
						{ value: 'l', label: 'Large' },
					],
				},
			],
		},
		{ type: 1, components: [{ type: 8, custom_id: 'where' }] },
		{ type: 1, components: [{ type: 2, style: 1, custom_id: 'off', disabled: true }] },
	]);
	const pressed = await interaction(sim, client, { type: 3, custom_id: 'Yes!' });
	expect(pressed).toMatchObject({
		type: 3,
		data: { custom_id: 'yes', component_type: 2 },
		message: { id: message.id, content: 'choose' },
	});
	expect(pressed.channel_id).toBe(message.channel_id);
	expect((await interaction(sim, client, { type: 3, custom_id: 'size', values: ['Large'] })).data).toEqual({
		custom_id: 'size',
		component_type: 3,
		values: ['l'],
	});
	const channel = [...firstGuild(sim).channels.values()].find(({ type }) => type === 0);
	const where = (await interaction(sim, client, { type: 3, custom_id: 'where', values: [channel?.name] })).data;
	expect(where).toMatchObject({
		values: [channel?.id],
		resolved: { channels: { [channel?.id as string]: { name: channel?.name } } },
	});
	for (const [data, text] of [
		[{ custom_id: 'nope' }, 'no message of the bot has a component "nope"'],
		[{ custom_id: 'off' }, 'disabled'],
		[{ custom_id: 'size', values: ['XL'] }, 'has no option "XL"; it has s, l'],
		[{ custom_id: 'where', values: ['nowhere'] }, 'there is no channel "nowhere"'],
	] as const) {
		expect(() => sim.emit('INTERACTION_CREATE', { type: 3, ...data })).toThrow(text);
	}
});

test('a form that the bot opened is submitted in its own layout, by field or label', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	const opening = await interaction(sim, client, { name: 'apply' });
	const modal = {
		custom_id: 'application',
		title: 'Apply',
		components: [
			{ type: 1, components: [{ type: 4, custom_id: 'name', label: 'Your name', style: 1 }] },
			{ type: 18, label: 'Why', component: { type: 4, custom_id: 'why', style: 2, value: 'as before' } },
			{ type: 18, label: 'Team', component: { type: 3, custom_id: 'team', options: [{ value: 'a', label: 'A' }] } },
		],
	};
	await rest(sim, `/interactions/${opening.id}/${opening.token}/callback`, { method: 'POST', body: { type: 9, data: modal } });
	const submitted = await interaction(sim, client, { type: 5, fields: { 'Your name': 'Ada', team: 'a' } });
	expect(submitted).toMatchObject({ type: 5, channel_id: opening.channel_id, member: { user: { id: opening.member.user.id } } });
	expect(submitted.data).toEqual({
		custom_id: 'application',
		components: [
			{ type: 1, components: [{ type: 4, custom_id: 'name', value: 'Ada' }] },
			{ type: 18, component: { type: 4, custom_id: 'why', value: 'as before' } },
			{ type: 18, component: { type: 3, custom_id: 'team', values: ['a'] } },
		],
	});
	expect(() => sim.emit('INTERACTION_CREATE', { type: 5, fields: { name: 'Ada' } })).toThrow(/the bot has opened no form/);
});

test('the bot has a managed role with the requested permissions, and interactions include them', async () => {
	for (const [options, bits, effective] of [
		[{}, '8', '2251799813685247'],
		[{ botPermissions: '2048' }, '2048', '2048'],
	] as const) {
		const sim = await simulator(options);
		const client = await connected(sim);
		const guild = client.events('GUILD_CREATE')[0]?.d;
		const role = guild.roles.find(({ managed }: Data) => managed);
		expect(role).toMatchObject({ permissions: bits, tags: { bot_id: sim.world.bot.id } });
		expect(guild.members.find(({ user }: Data) => user.id === sim.world.bot.id).roles).toEqual([role.id]);
		expect((await interaction(sim, client, { name: 'ping' })).app_permissions).toBe(effective);
	}
});

test('what a bot sends as null is empty in its message, as discord.py sends an answer of embeds alone', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	const { id, token } = await interaction(sim, client, { name: 'ping' });
	const data = { content: null, components: null, embeds: [{ description: 'pong' }] };
	// As discord.py asks for the response.
	const { json } = await rest(sim, `/interactions/${id}/${token}/callback?with_response=1`, {
		method: 'POST',
		body: { type: 4, data },
	});
	expect(json).toMatchObject({
		interaction: { id, response_message_loading: false, response_message_ephemeral: false },
		resource: { type: 4, message: { content: '', components: [] } },
	});
	expect((await client.next('MESSAGE_CREATE')).d).toMatchObject({ content: '', components: [], embeds: data.embeds });
	const original = `/webhooks/${sim.world.applicationId}/${token}/messages/@original`;
	const edited = await rest(sim, original, { method: 'PATCH', body: { content: 'done', embeds: null } });
	expect(edited.json).toMatchObject({ content: 'done', embeds: [] });
});

test('the control API returns the response to an interaction, and rejects unknown names', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	const post = async (body: object) => {
		const response = await fetch(`http://127.0.0.1:${sim.port}/simulator/emit`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify(body),
		});
		return { status: response.status, json: (await response.json()) as Data };
	};
	const { json } = await post({ type: 'INTERACTION_CREATE', data: { name: 'ping' } });
	const answerOf = async (id: string) =>
		(await fetch(`http://127.0.0.1:${sim.port}/simulator/interaction?id=${id}`)).json() as Data;
	expect(await answerOf(json.id)).toMatchObject({ answeredAfterMs: null, callbackType: null });
	const { d } = await client.next('INTERACTION_CREATE');
	await rest(sim, `/interactions/${d.id}/${d.token}/callback`, { method: 'POST', body: { type: 4, data: { content: 'pong' } } });
	expect(await answerOf(json.id)).toMatchObject({ callbackType: 4, message: { content: 'pong' } });
	expect(await post({ type: 'INTERACTION_CREATE', data: { type: 3, custom_id: 'x' } })).toMatchObject({
		status: 400,
		json: { message: expect.stringContaining('component "x"') },
	});
	expect((await post({ type: 'MESSAGE_CREATE', guildId: 'No such guild' })).json.message).toBe(
		'the bot is in no guild "No such guild"',
	);
});

test('every example of POST /simulator/emit in the README works, in its order', async () => {
	const sim = await simulator();
	const client = await connected(sim);
	const user = firstGuild(sim).members.stretchMember(0).user.username;
	await registered(sim, [
		{
			name: 'ban',
			description: '-',
			options: [
				{ type: 6, name: 'user', description: '-' },
				{ type: 3, name: 'reason', description: '-' },
			],
		},
	]);
	await sent(sim, [
		{ type: 1, components: [{ type: 2, style: 1, custom_id: 'confirm', label: 'Confirm' }] },
		{ type: 1, components: [{ type: 3, custom_id: 'colour', options: [{ value: 'red', label: 'Red' }] }] },
	]);
	const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
	const examples = [...readme.matchAll(/^\{ "type": .*\}$/gm)].map(
		([text]) => JSON.parse(text.replaceAll('quiet_fox1', user)) as Data,
	);
	expect(examples.length).toBeGreaterThanOrEqual(8);
	for (const { type, data, guildId, userId } of examples) {
		sim.emit(type, data, { ...(guildId && { guildId }), ...(userId && { userId }) });
		expect((await client.next(type)).t).toBe(type);
	}
});
