// A bot with slash commands that asks the whole fleet through client.shard, as discord.js's sharding guide has it.
const { Client, Events, GatewayIntentBits, MessageFlags, SlashCommandBuilder } = require('discord.js');

const client = new Client({ intents: [GatewayIntentBits.Guilds] });

const commands = [
	new SlashCommandBuilder().setName('stats').setDescription('How large the bot is'),
	new SlashCommandBuilder()
		.setName('find')
		.setDescription('Looks for a guild on every shard')
		.addStringOption((option) => option.setName('name').setDescription('Its name').setRequired(true)),
];

client.once(Events.ClientReady, async () => {
	// One of the fleet is enough to register the commands.
	if (client.shard.ids.includes(0)) await client.application.commands.set(commands);
	console.log(`shards ${client.shard.ids.join(', ')} of ${client.shard.count} are ready`);
});

async function fleetStats() {
	const [guilds, members] = await Promise.all([
		client.shard.fetchClientValues('guilds.cache.size'),
		client.shard.broadcastEval((c) => c.guilds.cache.reduce((sum, guild) => sum + guild.memberCount, 0)),
	]);
	const sum = (values) => values.reduce((total, value) => total + value, 0);
	return `${sum(guilds)} guilds with ${sum(members)} members on ${client.shard.count} shards`;
}

async function findGuild(name) {
	const found = await client.shard.broadcastEval((c, wanted) => c.guilds.cache.find((guild) => guild.name === wanted)?.id, {
		context: name,
	});
	const shard = found.findIndex(Boolean);
	return shard === -1 ? `No shard has a guild named ${name}.` : `${name} has the id ${found[shard]}.`;
}

async function reply(interaction) {
	const { commandName, options } = interaction;
	const asked = commandName === 'stats' ? fleetStats() : findGuild(options.getString('name'));
	const content = await asked.catch(() => 'A part of the bot is restarting. Try again in a moment.');
	await interaction.reply({ content, flags: MessageFlags.Ephemeral });
}

client.on(Events.InteractionCreate, (interaction) => {
	if (!interaction.isChatInputCommand()) return;
	// What nothing catches ends the worker, and while one is restarting the calls of all others fail.
	reply(interaction).catch((error) => console.error(`/${interaction.commandName}: ${error.message}`));
});

client.login();
