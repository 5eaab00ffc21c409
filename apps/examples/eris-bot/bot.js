// A bot on eris. attach() gives it this worker's shards, and makes each IDENTIFY wait for its slot.
import { Client } from 'eris';
import { attach, getShardInfo } from 'shardctl/worker';

const client = new Client(`Bot ${process.env.DISCORD_TOKEN}`, {
	intents: ['guilds', 'guildMessages', 'messageContent'],
});
attach(client);

client.on('shardReady', (shardId) => {
	console.log(`${client.user.username} is ready on shard ${shardId} of ${getShardInfo().totalShards}`);
});

client.on('messageCreate', async (message) => {
	if (message.content === '!ping') await client.createMessage(message.channel.id, 'Pong!');
});

client.on('error', (error, shardId) => console.error(`shard ${shardId}:`, error));

await client.connect();
