// `start --detach`: runs the same command again as a process in the background, and waits until it has its plan, or with --wait until the
// fleet is ready.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createControlClient, runningManagers, stateDir } from '@shardctl/control';
import { sleep, systemClock } from '@shardctl/core';
import { exitCodes } from '../exit-codes.js';
import { healthText } from '../health/health-lines.js';
import { programFile } from '../program-file.js';
import { err } from '../terminal/colours.js';
import { plural } from '../terminal/count.js';
import { ownCommand } from '../terminal/own-command.js';
import { printErr } from '../terminal/print.js';
import { outputWidth } from '../terminal/width.js';
import type { StartPlan } from './resolve-start.js';

/** Set for the process in the background. */
const mark = 'SHARDCTL_DETACHED';
const pollMs = 50;
const shownLines = 15;

/** Whether this process is the one in the background; the bots must not inherit the mark. */
export function takeDetachedMark(env: NodeJS.ProcessEnv): boolean {
	const marked = env[mark] !== undefined;
	delete env[mark];
	return marked;
}

/**
 * Starts the manager in the background; returns once it has its plan (so Discord accepted the token), with --wait once its start has
 * ended, or once it has failed, with its exit status. Ctrl-C ends only the waiting.
 */
export async function startDetached(plan: StartPlan): Promise<number> {
	const { checkedOptions } = await import('./run-fleet.js');
	const { name } = checkedOptions(plan);
	const logDir = resolve(plan.run.logDir ?? join(stateDir(), 'logs'));
	mkdirSync(logDir, { recursive: true, mode: 0o700 });
	const stderrPath = join(logDir, `${name}.stderr`);
	const stderr = openSync(stderrPath, 'w', 0o600);
	const child = spawn(process.execPath, [...process.execArgv, programFile, ...process.argv.slice(2)], {
		detached: true,
		stdio: ['ignore', 'ignore', stderr],
		env: { ...process.env, [mark]: '1', SHARDCTL_LOG_DIR: logDir, SHARDCTL_LOG_FORMAT: 'json' },
	});
	closeSync(stderr);
	let ended: number | undefined;
	child.once('exit', (code) => {
		ended = code ?? exitCodes.failed;
	});
	child.on('error', (error) => {
		printErr(`error: the process in the background could not be started: ${error.message}\n`);
		ended = exitCodes.failed;
	});
	const logPath = join(logDir, `${name}.log`);
	const client = createControlClient(name);
	while (ended === undefined) {
		if (runningManagers().some((manager) => manager.name === name && manager.pid === child.pid)) {
			const stats = await client.stats().catch(() => undefined);
			// One that stops has failed: how it ends gives the reason and the exit status.
			const isChanging = stats?.manager.status === 'starting' || stats?.manager.status === 'stopping';
			if (stats && stats.manager.totalShards > 0 && !(plan.run.wait && isChanging)) {
				const { manager, health } = stats;
				// In resident mode workers start after their gateway processes.
				const workers = manager.workers === 0 ? '' : ` in ${plural(manager.workers, 'worker')}`;
				const command = ownCommand({ script: process.argv[1], cwd: process.cwd() });
				printErr(
					`${err.green('●')} ${name} runs in the background as process ${manager.pid}: ${plural(manager.shardIds.length, 'shard')}${workers}\n` +
						`  log    ${logPath}\n  watch  ${command} stats --watch --name ${name}\n  stop   ${command} stop --name ${name}\n`,
				);
				child.unref();
				if (!plan.run.wait || health.served === health.shards) return exitCodes.fine;
				printErr(healthText({ name, health, losses: stats.losses }, { width: outputWidth(process.stderr), nowMs: Date.now() }));
				return exitCodes.failed;
			}
		}
		await sleep(systemClock, pollMs);
	}
	for (const line of lastMessages(logPath, stderrPath)) printErr(`${line}\n`);
	return ended;
}

/** The last output of the process: the last error in its log, and its standard error. */
function lastMessages(logPath: string, stderrPath: string): string[] {
	const messages = linesOf(logPath).flatMap((line) => {
		try {
			const { level, msg } = JSON.parse(line) as { level: number; msg: string };
			return level >= 50 ? [`error: ${msg}`] : [];
		} catch {
			return [];
		}
	});
	return [...messages.slice(-1), ...linesOf(stderrPath).slice(-shownLines)];
}

function linesOf(path: string): string[] {
	try {
		return readFileSync(path, 'utf8').split('\n').filter(Boolean);
	} catch {
		return [];
	}
}
