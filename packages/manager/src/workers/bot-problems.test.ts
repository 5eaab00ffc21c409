import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExitReport } from '@shardctl/supervisor';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { BotProblems } from './bot-problems.js';
import type { ManagedWorker } from './managed-worker.js';

function setup(botFile = '/bot/index.js') {
	const warnings: string[] = [];
	const refused: string[] = [];
	const problems = new BotProblems({
		workers: { decides: () => true },
		refusals: { refuseProcess: (_worker, error) => void refused.push(`${error.code} ${error.message}`) },
		logger: { warn: (message) => warnings.push(message) },
		botFile,
		program: null,
	});
	const worker = (label: string) =>
		Object.assign(new EventEmitter(), {
			label,
			hasLoggedIn: false,
			library: undefined as string | undefined,
			child: new EventEmitter(),
		});
	const watched = worker('worker 0');
	problems.watch(watched as unknown as ManagedWorker);
	const exits = (report: Partial<ExitReport>) =>
		watched.child.emit('exited', { stderrTail: [], code: null, wasReady: false, reason: 'crash', ...report });
	return { warnings, refused, watched, exits };
}

it.each([
	['clean', 0, /^worker 0: the file ended before it logged in to Discord/],
	['ready-timeout', null, /^worker 0: the file runs but does not log in to Discord.*attach\(\)/],
] as const)('reports once what a process that never logs in may lack, when it ends as %s', (reason, code, text) => {
	const { warnings, exits } = setup();
	for (let time = 0; time < 3; time++) exits({ reason, code });
	expect(warnings).toEqual([expect.stringMatching(text)]);
});

it('does not report it when the process requested an IDENTIFY', () => {
	const { warnings, watched, exits } = setup();
	watched.hasLoggedIn = true;
	exits({ reason: 'ready-timeout' });
	exits({ reason: 'clean', code: 0 });
	expect(warnings).toEqual([]);
});

it.each([
	[['Error: listen EADDRINUSE: address already in use :::8080'], /cannot listen on .*8080.*EADDRINUSE/],
	[['TypeError [ERR_UNKNOWN_FILE_EXTENSION]: Unknown file extension ".ts" for /bot/index.ts'], /cannot run \.ts files by itself/],
	// As printed by loaders that rewrite stacks.
	[
		['TypeError: Unknown file extension ".mts" for /bot/index.mts', "  code: 'ERR_UNKNOWN_FILE_EXTENSION'"],
		/\.mts files.*"type": "module"/,
	],
])('names the remedy for %j', (stderrTail, text) => {
	const { warnings, exits } = setup();
	exits({ code: 1, stderrTail });
	expect(warnings).toEqual([expect.stringMatching(text)]);
});

it('refuses the process for a problem that repeats at every start, and only warns of another', () => {
	const { warnings, refused, watched } = setup();
	watched.emit('problem', { code: 'any', message: 'a sharding manager cannot run here', fatal: true });
	watched.emit('problem', { code: 'any', message: 'this may be slow', fatal: false });
	expect(refused).toEqual(['BOT_FILE_INVALID a sharding manager cannot run here']);
	expect(warnings).toEqual(['worker 0: this may be slow']);
});

it('names a discord.js that is bundled into the bot file, or beside it, when no client was attached', () => {
	const folder = tempDir();
	writeFileSync(join(folder, 'index.js'), "import './chunk.js';");
	writeFileSync(join(folder, 'chunk.js'), `var ShardClientUtil, x = process.env.SHARDING_MANAGER_MODE;${' '.repeat(300_000)}`);
	const { warnings, watched, exits } = setup(join(folder, 'index.js'));
	exits({ code: 1, stderrTail: ['Error: getaddrinfo ENOTFOUND discord.com'] });
	exits({ reason: 'ready-timeout' });
	expect(warnings).toEqual([expect.stringMatching(/bundled into chunk\.js\. .*--external:discord\.js.*attach\(client\)/)]);
	watched.library = 'discord.js 14 (bundled)';
	exits({ reason: 'ready-timeout' });
	expect(warnings).toHaveLength(2);
});
