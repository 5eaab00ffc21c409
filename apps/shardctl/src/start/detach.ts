// `start --detach`: the same command once more, as a process of its own, and a look at whether it came up.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createControlClient, runningManagers, stateDir } from '@shardctl/control';
import { sleep, systemClock } from '@shardctl/core';
import { exitCodes } from '../exit-codes.js';
import { err } from '../terminal/colours.js';
import { plural } from '../terminal/count.js';
import type { StartPlan } from './resolve-start.js';
import { resolvedForCheck } from './run-fleet.js';

const cli = fileURLToPath(new URL('../../bin/shardctl.js', import.meta.url));
/** Tells the second process that it is the one in the background. */
const mark = 'SHARDCTL_DETACHED';
const pollMs = 50;
const toldLines = 15;

/** Whether this process is the one in the background; the bots must not inherit the mark. */
export function takeDetachedMark(env: NodeJS.ProcessEnv): boolean {
	const marked = env[mark] !== undefined;
	delete env[mark];
	return marked;
}

/**
 * Starts the manager in the background; returns once it has its plan (so Discord took the token), or has failed, which is told
 * with its own exit status. Ctrl-C ends only the waiting.
 */
export async function startDetached(plan: StartPlan): Promise<number> {
	const { name } = resolvedForCheck(plan);
	const logDir = resolve(plan.run.logDir ?? join(stateDir(), 'logs'));
	mkdirSync(logDir, { recursive: true, mode: 0o700 });
	const stderrPath = join(logDir, `${name}.stderr`);
	const stderr = openSync(stderrPath, 'w', 0o600);
	const child = spawn(process.execPath, [...process.execArgv, cli, ...process.argv.slice(2)], {
		detached: true,
		stdio: ['ignore', 'ignore', stderr],
		env: { ...process.env, [mark]: '1', SHARDCTL_LOG_DIR: logDir, SHARDCTL_LOG_FORMAT: 'json' },
	});
	closeSync(stderr);
	let ended: number | undefined;
	child.once('exit', (code) => {
		ended = code ?? exitCodes.failed;
	});
	const logPath = join(logDir, `${name}.log`);
	const client = createControlClient(name);
	while (ended === undefined) {
		if (runningManagers().some((manager) => manager.name === name && manager.pid === child.pid)) {
			const stats = await client.stats().catch(() => undefined);
			if (stats && stats.manager.totalShards > 0) {
				const { manager } = stats;
				// In resident mode workers come after their gateway processes.
				const workers = manager.workers === 0 ? '' : ` in ${plural(manager.workers, 'worker')}`;
				process.stderr.write(
					`${err.green('●')} ${name} runs in the background as process ${manager.pid}: ${plural(manager.shardIds.length, 'shard')}${workers}\n` +
						`  log    ${logPath}\n  watch  shardctl stats --watch --name ${name}\n  end    shardctl stop --name ${name}\n`,
				);
				child.unref();
				return exitCodes.fine;
			}
		}
		await sleep(systemClock, pollMs);
	}
	for (const line of lastWords(logPath, stderrPath)) process.stderr.write(`${line}\n`);
	return ended;
}

/** What the process said before it ended: the messages of its log since it began, and its standard error. */
function lastWords(logPath: string, stderrPath: string): string[] {
	const messages = linesOf(logPath).flatMap((line) => {
		try {
			const { level, msg } = JSON.parse(line) as { level: number; msg: string };
			return level >= 50 ? [`error: ${msg}`] : [];
		} catch {
			return [];
		}
	});
	return [...messages.slice(-1), ...linesOf(stderrPath).slice(-toldLines)];
}

function linesOf(path: string): string[] {
	try {
		return readFileSync(path, 'utf8').split('\n').filter(Boolean);
	} catch {
		return [];
	}
}
