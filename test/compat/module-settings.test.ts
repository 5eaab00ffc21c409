// A bot in TypeScript compiles against shardctl's types under every module setting that TypeScript 5 and 6 offer, and the types are
// the real ones: a wrong call is an error in each of them.
import { execFile } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const modules = fileURLToPath(new URL('../node_modules', import.meta.url));
const compilers = { 'TypeScript 5': 'typescript', 'TypeScript 6': 'typescript-6' };

const bot = `
import { createShardManager, ShardctlError, type ShardctlConfig } from 'shardctl';
import { attach, broadcastEval, getShardInfo, handle, onShutdown } from 'shardctl/worker';
import { createSimulator } from 'shardctl/simulator';
import { Client } from 'discord.js';
const client = new Client({ intents: [] });
attach(client);
handle('x', () => 1);
onShutdown(() => {});
const config: ShardctlConfig = { file: 'bot.js' };
const shardIds: number[] = getShardInfo().shardIds;
const error: ShardctlError = new ShardctlError('INTERNAL', 'text');
export const sizes: Promise<number[]> = broadcastEval((c) => (c as Client).guilds.cache.size);
export const used = [createShardManager, createSimulator, shardIds.length, config, error.code, client.shard?.ids];
// @ts-expect-error A file is a string.
createShardManager(5);
// @ts-expect-error There is no such option.
createSimulator({ guildz: 1 });
// @ts-expect-error There is no such field.
getShardInfo().shards;
`;

const settings: { name: string; type: 'commonjs' | 'module'; options: string[] }[] = [
	{ name: 'commonjs and node10', type: 'commonjs', options: ['--module', 'commonjs', '--moduleResolution', 'node10'] },
	{ name: 'node16, CommonJS', type: 'commonjs', options: ['--module', 'node16', '--moduleResolution', 'node16'] },
	{ name: 'node16, ES module', type: 'module', options: ['--module', 'node16', '--moduleResolution', 'node16'] },
	{ name: 'nodenext, CommonJS', type: 'commonjs', options: ['--module', 'nodenext', '--moduleResolution', 'nodenext'] },
	{ name: 'nodenext, ES module', type: 'module', options: ['--module', 'nodenext', '--moduleResolution', 'nodenext'] },
	{ name: 'bundler', type: 'module', options: ['--module', 'esnext', '--moduleResolution', 'bundler'] },
	{ name: 'bundler and preserve', type: 'commonjs', options: ['--module', 'preserve', '--moduleResolution', 'bundler'] },
];

const cells = Object.entries(compilers).flatMap(([compiler, name]) =>
	settings.map((setting) => ({ cell: `${compiler}, ${setting.name}`, compiler: name, ...setting })),
);

it.each(cells)('$cell', async ({ compiler, type, options }) => {
	const dir = tempDir();
	writeFileSync(join(dir, 'use.ts'), bot);
	writeFileSync(join(dir, 'package.json'), JSON.stringify({ type }));
	symlinkSync(modules, join(dir, 'node_modules'), 'junction');
	// TypeScript 6 calls node10 deprecated.
	const deprecated = compiler === 'typescript-6' && options.includes('node10') ? ['--ignoreDeprecations', '6.0'] : [];
	const common = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--types', 'node', '--esModuleInterop'];
	const tsc = require.resolve(`${compiler}/lib/tsc.js`);
	const run = promisify(execFile)(process.execPath, [tsc, 'use.ts', ...common, ...options, ...deprecated], { cwd: dir });
	const { stdout } = await run.catch((error: { stdout: string }) => error);
	expect(stdout).toBe('');
});
