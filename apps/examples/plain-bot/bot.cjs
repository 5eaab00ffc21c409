// A bot that knows nothing of shards. `shardctl start bot.cjs` gives each process its own.
const { Client, Events, GatewayIntentBits } = require('discord.js');

const client = new Client({
	intents: [GatewayIntentBits.Guilds, GatewayIntentBits.GuildMessages, GatewayIntentBits.MessageContent],
});

client.once(Events.ClientReady, () => {
	console.log(`${client.user.tag} is in ${client.guilds.cache.size} guilds`);
});

client.on(Events.MessageCreate, async (message) => {
	if (message.content === '!ping') await message.reply('Pong!');
});

client.login();
