// A worker whose manager exits before the worker has booted, as a real process.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type WorkerConfig, workerConfigVariable } from '@shardctl/core';
import { expect, it, onTestFinished } from 'vitest';

const bot = fileURLToPath(new URL('fixtures/idle-bot.cjs', import.meta.url));
const register = fileURLToPath(new URL('../dist/register.cjs', import.meta.url));

function forkWorker(): ChildProcess {
	const config: WorkerConfig = {
		workerId: 0,
		epoch: 1,
		shardIds: [0],
		totalShards: 1,
		workers: 1,
		botFile: bot,
		api: 'http://127.0.0.1:9',
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
		execArgv: ['--require', register],
		env: { ...process.env, [workerConfigVariable]: JSON.stringify(config) },
	});
	onTestFinished(() => void child.kill('SIGKILL'));
	return child;
}

it.each([0, 20, 50, 100, 200])(
	'exits when its manager exits %i ms after the fork',
	async (afterMs) => {
		const child = forkWorker();
		const exited = new Promise((resolve) => child.once('exit', resolve));
		await new Promise((resolve) => setTimeout(resolve, afterMs));
		child.disconnect();
		expect(await exited).toBe(1);
	},
	10_000,
);
