// The simulator against discord.js 14, unmodified: what its users do in their first week.

import { waitFor } from '@shardctl/test-support';
import {
	ActionRowBuilder,
	ApplicationCommandOptionType,
	ButtonBuilder,
	ButtonStyle,
	Client,
	Events,
	GatewayIntentBits,
	type GuildMember,
	type Interaction,
	type Message,
	ModalBuilder,
	PermissionFlagsBits,
	StringSelectMenuBuilder,
	TextInputBuilder,
	TextInputStyle,
} from 'discord.js';
import { expect, onTestFinished, test } from 'vitest';
import { createSimulator, type SimulatorOptions } from '../../src/index.js';

const intents = [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent];

async function start(options: SimulatorOptions = {}) {
	const sim = await createSimulator({ guilds: 8, ...options });
	onTestFinished(() => sim.stop());
	return sim;
}

async function login(sim: Awaited<ReturnType<typeof start>>, options: { shards?: number[]; shardCount?: number } = {}) {
	const client = new Client({ intents, rest: { api: sim.url }, ...options });
	onTestFinished(() => client.destroy());
	const ready = new Promise((resolve) => client.once(Events.ClientReady, resolve));
	await client.login(sim.token);
	await ready;
	return client;
}

test('discord.js logs in with two shards and has all guilds of the world', async () => {
	const sim = await start();
	const client = await login(sim, { shards: [0, 1], shardCount: 2 });
	expect(client.guilds.cache.size).toBe(8);
	expect([...client.guilds.cache.values()].every((guild) => guild.available)).toBe(true);
	expect(sim.violations()).toEqual([]);
	expect(sim.state().sessions.map(({ shard, connected }) => ({ shard, connected }))).toEqual([
		{ shard: [0, 2], connected: true },
		{ shard: [1, 2], connected: true },
	]);
});

test('discord.js receives a message and its reply is in the world', async () => {
	const sim = await start();
	const client = await login(sim);
	client.on(Events.MessageCreate, (message) => {
		if (message.content === 'ping') void message.reply('pong');
	});
	const answered = new Promise<Message>((resolve) => {
		client.on(Events.MessageCreate, (message) => message.content === 'pong' && resolve(message));
	});
	sim.emit('MESSAGE_CREATE', { content: 'ping' });
	const reply = await answered;
	expect(reply.author.id).toBe(client.user?.id);
	expect(reply.guildId).toBe(client.guilds.cache.find((guild) => guild.channels.cache.has(reply.channelId))?.id);
});

test('discord.js registers a slash command and answers it', async () => {
	const sim = await start();
	const client = await login(sim);
	await client.application?.commands.set([{ name: 'ping', description: 'says pong' }]);
	const answer = async (interaction: Interaction) => {
		if (!interaction.isChatInputCommand()) return;
		await interaction.deferReply();
		await interaction.editReply(`pong from ${interaction.guild?.name}`);
		await interaction.followUp('and again');
	};
	client.on(Events.InteractionCreate, (interaction) => void answer(interaction));
	const heard: string[] = [];
	client.on(Events.MessageCreate, (message) => heard.push(message.content));
	client.on(Events.MessageUpdate, (_, message) => heard.push(message.content));
	sim.emit('INTERACTION_CREATE', { name: 'ping' });
	await waitFor('the follow-up', () => heard.includes('and again'));
	expect(heard).toEqual([
		'',
		`pong from ${client.guilds.cache.find(({ id }) => id === [...sim.world.guilds.ids()][0])?.name}`,
		'and again',
	]);
	expect(sim.state().interactions).toEqual({ created: 1, answered: 1 });
});

test('discord.js resumes after a dropped connection and misses no event', async () => {
	const sim = await start();
	const client = await login(sim);
	const heard: string[] = [];
	client.on(Events.MessageCreate, (message) => heard.push(message.content));
	const resumed = new Promise((resolve) => client.once(Events.ShardResume, (_, replayed) => resolve(replayed)));
	sim.emit('MESSAGE_CREATE', { content: 'before' });
	await waitFor('the first message', () => heard.length === 1);
	sim.faults.drop({ shard: 0 });
	sim.emit('MESSAGE_CREATE', { content: 'meanwhile' });
	await resumed;
	sim.emit('MESSAGE_CREATE', { content: 'after' });
	await waitFor('the last message', () => heard.includes('after'));
	expect(heard).toEqual(['before', 'meanwhile', 'after']);
	expect(sim.log.entries({ type: 'identify' })).toHaveLength(1);
});

test('discord.js replies to a slash command, a button, a menu and a form', async () => {
	const sim = await start();
	const client = await login(sim);
	await client.application?.commands.set([
		{
			name: 'order',
			description: 'orders something',
			options: [
				{ type: ApplicationCommandOptionType.String, name: 'what', description: '-', required: true },
				{ type: ApplicationCommandOptionType.User, name: 'for', description: '-' },
			],
		},
	]);
	const seen: string[] = [];
	const answer = async (interaction: Interaction) => {
		if (interaction.isChatInputCommand()) {
			const friend = interaction.options.getMember('for') as GuildMember | null;
			seen.push(`${interaction.options.getString('what', true)} for ${friend?.user.username}`);
			await interaction.reply({
				content: 'sure?',
				components: [
					new ActionRowBuilder<ButtonBuilder>().addComponents(
						new ButtonBuilder().setCustomId('yes').setLabel('Yes').setStyle(ButtonStyle.Primary),
					),
					new ActionRowBuilder<StringSelectMenuBuilder>().addComponents(
						new StringSelectMenuBuilder()
							.setCustomId('size')
							.addOptions({ label: 'Large', value: 'l' }, { label: 'Small', value: 's' }),
					),
				],
			});
		} else if (interaction.isStringSelectMenu()) {
			seen.push(`size ${interaction.values.join()} of "${interaction.message.content}"`);
			await interaction.deferUpdate();
		} else if (interaction.isButton()) {
			seen.push(`button of "${interaction.message.content}"`);
			const name = new TextInputBuilder().setCustomId('name').setLabel('Name').setStyle(TextInputStyle.Short);
			await interaction.showModal(
				new ModalBuilder()
					.setCustomId('address')
					.setTitle('Address')
					.addComponents(new ActionRowBuilder<TextInputBuilder>().addComponents(name)),
			);
		} else if (interaction.isModalSubmit() && interaction.isFromMessage()) {
			seen.push(`form ${interaction.fields.getTextInputValue('name')}`);
			await interaction.update({ content: 'ordered', components: [] });
		}
	};
	client.on(Events.InteractionCreate, (interaction) => void answer(interaction));
	const friend = sim.world.guilds.read(sim.world.guilds.idAt(0) as string)?.members.stretchMember(1).user.username as string;
	const answered = (count: number) => waitFor(`answer ${count}`, () => sim.state().interactions.answered === count);
	sim.emit('INTERACTION_CREATE', { name: 'order', options: { what: 'tea', for: friend } });
	await answered(1);
	sim.emit('INTERACTION_CREATE', { type: 3, custom_id: 'size', values: ['Small'] });
	await answered(2);
	sim.emit('INTERACTION_CREATE', { type: 3, custom_id: 'Yes' });
	await answered(3);
	sim.emit('INTERACTION_CREATE', { type: 5, fields: { name: 'Ada' } });
	await answered(4);
	expect(seen).toEqual([`tea for ${friend}`, 'size s of "sure?"', 'button of "sure?"', 'form Ada']);
	expect(sim.world.messages.newest(({ content }) => content === 'ordered')).toMatchObject({ components: [] });
});

test("a discord.js bot is an administrator by default, and is limited to its role's permissions otherwise", async () => {
	for (const [botPermissions, isAdministrator] of [
		[undefined, true],
		[String(PermissionFlagsBits.SendMessages), false],
	] as const) {
		const sim = await start(botPermissions === undefined ? {} : { botPermissions });
		const client = await login(sim);
		const me = client.guilds.cache.first()?.members.me;
		expect(me?.permissions.has(PermissionFlagsBits.Administrator)).toBe(isAdministrator);
		expect(me?.roles.botRole?.managed).toBe(true);
	}
});
