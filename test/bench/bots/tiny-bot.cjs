// A worker without any library or connection, so that the contender's own cost is measured. It reports
// ready in each contender's own way.
process.on('message', () => {});

const { BENCH_CONTENDER: contender = 'node' } = process.env;
switch (contender) {
	case 'shardctl':
		void import('shardctl/worker').then(({ attach, getShardInfo }) => attach(getShardInfo(), adapter));
		break;
	case 'hybrid-sharding':
		new (require('discord-hybrid-sharding').ClusterClient)({}).triggerReady();
		break;
	case 'discord.js':
		process.send({ _ready: true });
		break;
	default:
		process.send('ready');
}

const adapter = {
	library: 'none',
	observe({ shardIds }, report) {
		for (const shardId of shardIds) report({ shardId, status: 'ready' });
	},
	sample: ({ shardIds }) => shardIds.map((shardId) => ({ shardId, guildCount: 0, userCount: 0, ping: null })),
	destroy() {},
};
