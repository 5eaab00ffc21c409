import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { onDiscordJsLoad } from './on-load.js';

const shape = "exports.ShardClientUtil = class {}; exports.DefaultRestOptions = {}; exports.version = '14.0.0';";

function write(dir: string, file: string, source: string): string {
	const path = join(dir, file);
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, source);
	return path;
}

// An `import` of it is tried in packages/manager/test, with node's own loader.
it('tells of every copy of discord.js that is loaded, under whatever name, once, and of nothing else', () => {
	const dir = tempDir();
	const bot = write(dir, 'bot.cjs', '');
	const copies = ['node_modules/discord.js/src/index.js', 'node_modules/djs-alias/src/index.js', 'inner/src/index.js'];
	const [first, aliased, inner] = copies.map((file) => write(dir, file, shape)) as [string, string, string];
	const other = write(
		dir,
		'node_modules/other/src/index.js',
		'Object.defineProperty(exports, "version", { get() { throw 1; } });',
	);
	const text = write(dir, 'node_modules/text/src/index.js', 'module.exports = "text";');
	const loaded: string[] = [];
	onDiscordJsLoad((library, file) => loaded.push(`${file} ${library.version}`));
	const require = createRequire(bot);
	for (const file of [other, first, first, aliased, text, inner]) require(file);
	expect(loaded).toEqual([first, aliased, inner].map((file) => `${file} 14.0.0`));
});
