// The bot of both: discord.js, one shard. When asked over HTTP it calls all bots of both machines, one call after the other, and answers with the times.
const { createServer } = require('node:http');
const { writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');

const { CROSS_CONTENDER: contender, CROSS_API: api, CROSS_MODULES: modules, CROSS_PORT: portFile } = process.env;
// Both use the same discord.js.
const load = createRequire(`${modules}/`);
const { Client, Events } = load('discord.js');

const { client, all } = contender === 'shardctl' ? withShardctl() : withCrossHosting();
client.once(Events.ClientReady, () => {
	const server = createServer((request, response) => {
		measure(Number(new URL(request.url, 'http://x').searchParams.get('calls'))).then(
			(times) => response.end(JSON.stringify(times)),
			(error) => response.writeHead(500).end(String(error)),
		);
	});
	server.listen(0, '127.0.0.1', () => writeFileSync(`${portFile}-${process.pid}`, String(server.address().port)));
});
void client.login(process.env.DISCORD_TOKEN);

async function measure(calls) {
	const times = [];
	for (let n = 0; n < calls; n++) {
		const begun = performance.now();
		const results = (await all()).flat();
		times.push(performance.now() - begun);
		if (results.length !== 2 || !results.every(Number.isInteger))
			throw new Error(`both bots answer with a number; got ${JSON.stringify(results)}`);
	}
	return times;
}

function withShardctl() {
	const client = new Client({ intents: ['Guilds'] });
	return { client, all: () => client.shard.broadcastEval((each) => each.guilds.cache.size) };
}

/** As its README shows. */
function withCrossHosting() {
	const { ClusterClient, getInfo } = load('discord-hybrid-sharding');
	const { Shard } = load('discord-cross-hosting');
	const { SHARD_LIST: shards, TOTAL_SHARDS: shardCount } = getInfo();
	const client = new Client({ intents: ['Guilds'], shards, shardCount, rest: { api } });
	client.cluster = new ClusterClient(client);
	client.machine = new Shard(client.cluster);
	client.once(Events.ClientReady, () => client.cluster.triggerReady());
	return { client, all: () => client.machine.broadcastEval('this.guilds.cache.size') };
}
