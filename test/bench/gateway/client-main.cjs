// The process of a worker that has just been started: discord.js logs in, and reports how long it took until it had all guilds.
const { Client } = require('discord.js');

const { BENCH_API: api, DISCORD_TOKEN: token } = process.env;
/** All but message content and what came later: members and presences are among them. */
const client = new Client({ intents: 32_767, rest: { api } });

let startedAt = performance.now();
client.once('clientReady', () => {
	const tookMs = performance.now() - startedAt;
	process.send({ tookMs, guilds: client.guilds.cache.filter(({ available }) => available).size }, () => process.exit());
});
process.once('message', () => {
	startedAt = performance.now();
	void client.login(token);
});
process.send('loaded');
