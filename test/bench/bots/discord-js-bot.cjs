// The bot of every contender: a discord.js client that is in its guilds and answers calls. Lines that a contender's documentation
// requires in the bot are here, and run under that contender only.
const { Client, Events } = require('discord.js');

const { BENCH_CONTENDER: contender = 'node', BENCH_API: api, BENCH_DIES_ON: diesOn } = process.env;
const client = makeClient();

// A crash loop, such as a bot whose database is down: it logs in, and its next step throws.
if (diesOn === 'ready') client.once(Events.ClientReady, () => process.exit(1));
if (diesOn === 'identify') {
	client.on(Events.Debug, (line) => {
		if (line.includes('Identifying')) setTimeout(() => process.exit(1), 50);
	});
}

void client.login();

function makeClient() {
	const options = { intents: ['Guilds'] };
	switch (contender) {
		case 'shardctl': {
			const made = new Client(options);
			made.shard.handle('echo', (value) => value);
			return made;
		}
		case 'hybrid-sharding': {
			const { ClusterClient, getInfo } = require('discord-hybrid-sharding');
			const { SHARD_LIST: shards, TOTAL_SHARDS: shardCount } = getInfo();
			const made = new Client({ ...options, shards, shardCount, rest: { api } });
			made.cluster = new ClusterClient(made);
			made.once(Events.ClientReady, () => made.cluster.triggerReady());
			made.cluster.on('message', (message) => message.reply({ value: message.raw.value }));
			return made;
		}
		case 'discord.js':
			return new Client({ ...options, rest: { api } });
		default: {
			const made = new Client({ ...options, rest: { api } });
			process.on('message', (message) => process.send(message));
			made.once(Events.ClientReady, () => process.send('ready'));
			return made;
		}
	}
}
