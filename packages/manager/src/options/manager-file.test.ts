import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { recogniseManagerFile } from './manager-file.js';

it.each([
	["const manager = new ShardingManager('./bot.js', { token });", 'a ShardingManager', './bot.js'],
	['new Discord.ShardingManager("bot.js")', 'a ShardingManager', './bot.js'],
	['new ClusterManager(`./src/bot.js`, { totalShards: 2 })', 'a ClusterManager', './src/bot.js'],
	["new ClusterManager(path.join(__dirname, 'bot.js'), {})", 'a ClusterManager', './bot.js'],
	['new ShardingManager(file, options)', 'a ShardingManager', undefined],
	['if (cluster.isPrimary) cluster.fork();', 'processes with cluster.fork()', undefined],
])('recognises %s', (text, starts, botFile) => {
	const folder = tempDir('shardctl-manager-file-');
	writeFileSync(join(folder, 'index.js'), text);
	expect(recogniseManagerFile(join(folder, 'index.js'), folder)).toEqual({ starts, botFile });
});

it.each([
	"const client = new Client(); client.login('https://x');",
	"// new ShardingManager('./bot.js')",
	'/* cluster.fork() */ client.login()',
	'client.shard instanceof ShardingManager',
])('recognises %s as a bot', (text) => {
	const folder = tempDir('shardctl-manager-file-');
	writeFileSync(join(folder, 'bot.js'), text);
	expect(recogniseManagerFile(join(folder, 'bot.js'), folder)).toBeUndefined();
});

it('ignores a file that does not exist', () => {
	expect(recogniseManagerFile('/no/such/file.js', '/')).toBeUndefined();
});
