// One machine of discord-cross-hosting, as its README shows.
const { createRequire } = require('node:module');

const load = createRequire(`${process.env.CROSS_MODULES}/`);
const { Client } = load('discord-cross-hosting');
const { ClusterManager } = load('discord-hybrid-sharding');

const client = new Client({
	agent: 'bot',
	host: '127.0.0.1',
	port: Number(process.env.CROSS_BRIDGE),
	authToken: 'bench',
	rollingRestarts: false,
});
client.connect();
const manager = new ClusterManager(`${__dirname}/bot.cjs`, {
	totalShards: 1,
	totalClusters: 'auto',
	token: process.env.DISCORD_TOKEN,
});
client.listen(manager);
void begin();

/** The bridge has no list of shards until it knows both machines. */
async function begin() {
	const data = await client.requestShardData().catch(() => undefined);
	if (!data?.shardList) {
		setTimeout(() => void begin(), 500);
		return;
	}
	manager.totalShards = data.totalShards;
	manager.totalClusters = data.shardList.length;
	manager.shardList = data.shardList;
	manager.clusterList = data.clusterList;
	await manager.spawn({ timeout: -1 });
}

process.on('disconnect', () => {
	manager.respawn = false;
	for (const cluster of manager.clusters.values()) cluster.thread?.process?.kill('SIGKILL');
	process.exit();
});
