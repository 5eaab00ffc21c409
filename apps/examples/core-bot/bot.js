// A bot on @discordjs/core. attach() gives its gateway this worker's shards, and makes each IDENTIFY wait for its slot.
import { Client, GatewayDispatchEvents, GatewayIntentBits } from '@discordjs/core';
import { REST } from '@discordjs/rest';
import { WebSocketManager } from '@discordjs/ws';
import { attach, getShardInfo } from 'shardctl/worker';

const token = process.env.DISCORD_TOKEN;
const rest = new REST().setToken(token);
const gateway = new WebSocketManager({
	token,
	rest,
	intents: GatewayIntentBits.Guilds | GatewayIntentBits.GuildMessages | GatewayIntentBits.MessageContent,
});
const client = new Client({ rest, gateway });
attach(client);

client.on(GatewayDispatchEvents.Ready, ({ data, shardId }) => {
	console.log(`${data.user.username} is ready on shard ${shardId} of ${getShardInfo().totalShards}`);
});

client.on(GatewayDispatchEvents.MessageCreate, async ({ data: message, api }) => {
	if (message.content === '!ping') await api.channels.createMessage(message.channel_id, { content: 'Pong!' });
});

await gateway.connect();
