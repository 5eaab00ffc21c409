// A bot on oceanic.js. attach() gives it this worker's shards, and makes each IDENTIFY wait for its slot.
import { Client } from 'oceanic.js';
import { attach, getShardInfo } from 'shardctl/worker';

const client = new Client({
	auth: `Bot ${process.env.DISCORD_TOKEN}`,
	gateway: { intents: ['GUILDS', 'GUILD_MESSAGES', 'MESSAGE_CONTENT'] },
});
attach(client);

client.on('shardReady', (shardId) => {
	console.log(`${client.user.username} is ready on shard ${shardId} of ${getShardInfo().totalShards}`);
});

client.on('messageCreate', async (message) => {
	if (message.content === '!ping') await client.rest.channels.createMessage(message.channelID, { content: 'Pong!' });
});

client.on('error', (error, shardId) => console.error(`shard ${shardId}:`, error));

await client.connect();
