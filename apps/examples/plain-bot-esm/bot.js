// The plain bot as an ES module.
import { Client, Events, GatewayIntentBits } from 'discord.js';

const client = new Client({ intents: [GatewayIntentBits.Guilds] });

client.once(Events.ClientReady, () => {
	console.log(`${client.user.tag} is in ${client.guilds.cache.size} guilds`);
});

await client.login();
