// The bridge of discord-cross-hosting, as its README shows.
const { createRequire } = require('node:module');

const { Bridge } = createRequire(`${process.env.CROSS_MODULES}/`)('discord-cross-hosting');
const bridge = new Bridge({
	host: '127.0.0.1',
	port: Number(process.env.CROSS_BRIDGE),
	authToken: 'bench',
	totalShards: 2,
	totalMachines: 2,
	shardsPerCluster: 1,
	token: process.env.DISCORD_TOKEN,
});
bridge.on('ready', () => process.send('ready'));
bridge.start();
process.on('disconnect', () => process.exit());
