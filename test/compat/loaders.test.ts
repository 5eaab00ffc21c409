// The library is detected with every loader: loaders of TypeScript and of instrumentation × CommonJS and ES modules × this version of Node
// (the others in `pnpm test:nodes`). Each cell is a real process that our register module starts, as a manager does it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type WorkerConfig, workerConfigVariable } from '@shardctl/core';
import { tempDir } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';

const register = createRequire(import.meta.resolve('shardctl')).resolve('@shardctl/worker/register');
const modules = fileURLToPath(new URL('../node_modules', import.meta.url));
const api = 'http://127.0.0.1:9/api';
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

const typescript = `
import { Client, REST as LibraryRest } from 'discord.js';
import { REST } from '@discordjs/rest';
const client: Client = new Client({ intents: ['Guilds'] });
const found: string[] = [String(client.shard?.constructor.name), client.options.rest!.api!, new LibraryRest().options.api, new REST().options.api];
process.send!({ found });
`;
const commonjs = `
const { Client, REST: LibraryRest } = require('discord.js');
const { REST } = require('@discordjs/rest');
const client = new Client({ intents: ['Guilds'] });
process.send({ found: [String(client.shard?.constructor.name), client.options.rest.api, new LibraryRest().options.api, new REST().options.api] });
`;
const esModule = commonjs
	.replace(
		"const { Client, REST: LibraryRest } = require('discord.js')",
		"import { Client, REST as LibraryRest } from 'discord.js'",
	)
	.replace("const { REST } = require('@discordjs/rest')", "import { REST } from '@discordjs/rest'");

interface Bot {
	file: string;
	source: string;
	type: 'commonjs' | 'module';
}

const bots = {
	'a .cjs file': { file: 'bot.cjs', source: commonjs, type: 'module' },
	'an .mjs file': { file: 'bot.mjs', source: esModule, type: 'commonjs' },
	'a .ts file, CommonJS': { file: 'bot.ts', source: typescript, type: 'commonjs' },
	'a .ts file, ES module': { file: 'bot.ts', source: typescript, type: 'module' },
	'a .js file that imports the bot': { file: 'main.js', source: "import('./bot.mjs');", type: 'commonjs' },
} satisfies Record<string, Bot>;
type Kind = keyof typeof bots;

const typescriptKinds: Kind[] = ['a .ts file, CommonJS', 'a .ts file, ES module'];
const javascriptKinds: Kind[] = ['a .cjs file', 'an .mjs file'];
const iitm = `data:text/javascript,${encodeURIComponent(
	`import { register } from 'node:module'; register('import-in-the-middle/hook.mjs', ${JSON.stringify(import.meta.url)});`,
)}`;

/** How a loader is given to node: `after` our own hook as `execArgv` does it, `before` it as NODE_OPTIONS does it. */
const loaders: { name: string; kinds: Kind[]; args: string[]; onlyWhere?: boolean }[] = [
	{ name: 'no loader', kinds: [...javascriptKinds, 'a .js file that imports the bot'], args: [] },
	{ name: 'tsx by --import', kinds: typescriptKinds, args: ['--import', 'tsx'] },
	{ name: 'tsx by --require', kinds: ['a .ts file, CommonJS'], args: ['--require', 'tsx/cjs'] },
	{ name: 'tsx/esm', kinds: ['a .ts file, ES module'], args: ['--import', 'tsx/esm'] },
	{ name: 'ts-node', kinds: ['a .ts file, CommonJS'], args: ['--require', 'ts-node/register/transpile-only'] },
	{ name: 'ts-node/esm', kinds: ['a .ts file, ES module'], args: ['--loader', 'ts-node/esm/transpile-only'] },
	{ name: 'swc by --require', kinds: ['a .ts file, CommonJS'], args: ['--require', '@swc-node/register'] },
	{ name: 'swc by --import', kinds: ['a .ts file, ES module'], args: ['--import', '@swc-node/register/esm-register'] },
	{ name: 'esbuild-register', kinds: ['a .ts file, CommonJS'], args: ['--require', 'esbuild-register'] },
	{ name: 'import-in-the-middle', kinds: javascriptKinds, args: ['--import', iitm] },
	{ name: 'jiti by --import', kinds: typescriptKinds, args: ['--import', 'jiti/register'] },
	{
		name: "Node's type stripping",
		kinds: ['a .ts file, ES module'],
		args: [],
		onlyWhere: major >= 24 || (major === 22 && minor >= 18),
	},
];

async function facts(kind: Kind, { before, after }: { before: string[]; after: string[] }): Promise<unknown> {
	const dir = tempDir();
	const { file, source, type } = bots[kind];
	writeFileSync(join(dir, file), source);
	if (file === 'main.js') writeFileSync(join(dir, 'bot.mjs'), esModule);
	writeFileSync(join(dir, 'package.json'), JSON.stringify({ type, dependencies: { '@discordjs/rest': '*' } }));
	const module = type === 'module' ? 'nodenext' : 'commonjs';
	writeFileSync(
		join(dir, 'tsconfig.json'),
		JSON.stringify({ compilerOptions: { module, target: 'es2022', esModuleInterop: true } }),
	);
	symlinkSync(modules, join(dir, 'node_modules'), 'junction');
	const bot = join(dir, file);
	const config: WorkerConfig = {
		workerId: 0,
		epoch: 1,
		shardIds: [0],
		totalShards: 1,
		workers: 1,
		botFile: bot,
		api,
		gateway: {
			url: 'ws://127.0.0.1:9',
			shards: 1,
			session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 },
		},
		statsIntervalMs: 0,
		shutdownGraceMs: 1000,
		launchMark: '[mark]',
	};
	const child = fork(bot, {
		cwd: dir,
		execArgv: [...before, '--require', register, ...after],
		env: {
			...process.env,
			NODE_OPTIONS: '',
			SHARDING_MANAGER: 'true',
			SHARDING_MANAGER_MODE: 'process',
			SHARDS: '0',
			SHARD_COUNT: '1',
			DISCORD_TOKEN: 'token',
			[workerConfigVariable]: JSON.stringify(config),
		},
		stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
	});
	onTestFinished(() => void child.kill('SIGKILL'));
	let errors = '';
	child.stderr?.on('data', (chunk: Buffer) => {
		errors += chunk.toString();
	});
	const found = new Promise((resolve) => {
		child.on('message', (message) => {
			if (typeof message === 'object' && message !== null && 'found' in message) resolve(message.found);
		});
	});
	const ended = once(child, 'exit').then(([code]) => `exit ${code}: ${errors}`);
	return Promise.race([found, ended]);
}

const met = ['ShardctlShardClient', api, api, api];

const cells = loaders
	.filter(({ onlyWhere = true }) => onlyWhere)
	.flatMap(({ name, kinds, args }) =>
		kinds.flatMap((kind) => [
			{ cell: `${name}: ${kind}`, kind, before: [], after: args },
			...(args.length > 0 ? [{ cell: `${name}, loaded before our hook: ${kind}`, kind, before: args, after: [] }] : []),
		]),
	);

it.each(cells)('$cell', async ({ kind, before, after }) => {
	expect(await facts(kind, { before, after })).toEqual(met);
});
