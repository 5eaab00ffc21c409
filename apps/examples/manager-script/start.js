// A fleet started from code instead of the command line: `node start.js bot.js`.
import { createShardManager } from 'shardctl';

const manager = createShardManager(process.argv[2] ?? '../plain-bot/bot.cjs', { totalShards: 'auto' });

manager.on('shard:ready', ({ shardId }) => console.log(`shard ${shardId} is ready`));
manager.on('worker:exited', ({ workerId, report }) => console.log(`worker ${workerId}: ${report.message}`));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => manager.stop());

await manager.spawn();
const guilds = await manager.fetchClientValues('guilds.cache.size');
console.log(`${guilds.reduce((sum, count) => sum + count, 0)} guilds on ${manager.totalShards} shards`);
