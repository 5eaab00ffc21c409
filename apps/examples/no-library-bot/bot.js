// A bot without a library: an adapter of twenty lines reports the state of its shards to shardctl.
import { attach, getShardInfo, waitForIdentify } from 'shardctl/worker';
import { Shard } from './shard.js';

const guildsAndMessages = (1 << 0) | (1 << 9) | (1 << 15);
const { sharded, shardIds, totalShards, gateway, api } = getShardInfo();
const token = process.env.DISCORD_TOKEN;
const gatewayUrl = gateway?.url ?? 'wss://gateway.discord.gg';
const apiUrl = api ?? 'https://discord.com/api';

const bot = {
	shards: (sharded ? shardIds : [0]).map(
		(id) => new Shard({ id, totalShards, token, intents: guildsAndMessages, gatewayUrl, waitForIdentify }),
	),
};

attach(bot, {
	library: 'none',
	observe({ shards }, report) {
		for (const shard of shards) {
			shard.on('ready', () => report({ shardId: shard.id, status: 'ready' }));
			shard.on('closed', (closeCode) => report({ shardId: shard.id, status: 'disconnected', closeCode }));
		}
	},
	sample: ({ shards }) =>
		shards.map(({ id, guilds, ping }) => ({
			shardId: id,
			guildCount: guilds.size,
			userCount: [...guilds.values()].reduce((sum, guild) => sum + guild.member_count, 0),
			ping,
		})),
	destroy({ shards }) {
		for (const shard of shards) shard.disconnect();
	},
});

for (const shard of bot.shards) {
	shard.on('ready', () => console.log(`ready on shard ${shard.id} of ${totalShards}`));
	shard.on('dispatch', async (type, message) => {
		if (type !== 'MESSAGE_CREATE' || message.content !== '!ping') return;
		await fetch(`${apiUrl}/v10/channels/${message.channel_id}/messages`, {
			method: 'POST',
			headers: { authorization: `Bot ${token}`, 'content-type': 'application/json' },
			body: JSON.stringify({ content: 'Pong!' }),
		});
	});
	shard.connect();
}
