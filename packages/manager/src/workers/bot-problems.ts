// What follows when a worker reports that its bot does something that does not work under a manager.
import { basename } from 'node:path';
import { type BotProblem, ShardctlError } from '@shardctl/core';
import type { ExitReport } from '@shardctl/supervisor';
import { bundleWithDiscordJs } from '../options/bundled-library.js';
import type { ForeignProgram } from '../options/foreign-program.js';
import { threadAdvice } from '../threads/thread-advice.js';
import { fileExtensionAdvice } from './file-extension.js';
import { launchReport } from './launch-mark.js';
import type { ManagedWorker } from './managed-worker.js';
import { addressInUse } from './port-holder.js';
import type { RefusalPolicy } from './refusal-policy.js';
import type { WorkerFleet } from './worker-fleet.js';

const outOfBundle =
	'Leave discord.js out of the bundle (esbuild: --external:discord.js), or call attach(client) from shardctl/worker before client.login()';
const unattached =
	"cannot hook the bot's discord.js (bundled?), so calls and figures do not reach it, --api has no effect on it, and without gateway " +
	`processes its identifies are not paced. ${outOfBundle}`;

/** For a process that asked for no IDENTIFY in its whole life. */
const neverLoggedIn = {
	clean:
		'the file ended before it logged in to Discord. Is it the file that calls client.login()? A bot keeps running: one that ends when ' +
		'its standard input closes must not do so here',
	'ready-timeout':
		'the file runs but does not log in to Discord. Is it the file that calls client.login(), and not one that starts that file as another ' +
		'process, and is that line reached? A bot of another library than discord.js calls attach() from shardctl/worker before it connects',
};

/** The same of a program that is not Node.js. */
const neverConnected = {
	clean:
		'the program ended before it connected to its local gateway. A bot keeps running: one that ends when its standard input closes must not do so here',
	'ready-timeout':
		'the program runs, but has not identified all of its shards at its local gateway. discord.py, py-cord, nextcord and disnake do so by ' +
		'themselves under Python, unless it is started with -I, -E or -S; any other program connects to SHARDCTL_GATEWAY_URL, identifies the ' +
		'shards in SHARDS with SHARD_COUNT, and answers the heartbeats that it is asked for',
};

export interface BotProblemsOptions {
	workers: Pick<WorkerFleet, 'decides'>;
	refusals: Pick<RefusalPolicy, 'refuseProcess'>;
	logger: { warn(message: string): void };
	botFile: string;
	/** Whether workers are threads. */
	threads?: boolean;
	/** What runs it; null for Node.js. */
	program: Pick<ForeignProgram, 'label'> | null;
}

export class BotProblems {
	readonly #options: BotProblemsOptions;
	readonly #logged = new Set<string>();
	#bundles: { file: string | undefined } | undefined;

	constructor(options: BotProblemsOptions) {
		this.#options = options;
	}

	/** Looked for with the first process that ends too early, and then kept. */
	get #bundle(): string | undefined {
		const { botFile, program } = this.#options;
		this.#bundles ??= { file: program ? undefined : bundleWithDiscordJs(botFile) };
		return this.#bundles.file;
	}

	/** Follows a worker for its whole life. */
	watch(worker: ManagedWorker): void {
		worker.on('problem', (problem) => this.#onProblem(worker, problem));
		worker.on('unattached', () => this.#warnOnce(worker, unattached));
		worker.child.on('exited', (report) => this.#onExited(worker, report));
		worker.child.on('log', ({ line }) => this.#onLine(worker, line));
	}

	/** A process that the bot file started was kept from logging in. Beside a client of the bot's own it may be another bot. */
	#onLine(worker: ManagedWorker, line: string): void {
		const message = launchReport(line);
		if (message === undefined) return;
		const isLauncher = worker.library === undefined && !worker.hasLoggedIn;
		this.#onProblem(worker, { code: 'NESTED_MANAGER', message, fatal: isLauncher });
	}

	/** What a person has to change, where the end of a process shows it: the restart policy alone would repeat it. */
	#onExited(worker: ManagedWorker, { stderrTail, code, reason, wasReady }: ExitReport): void {
		if (wasReady || !this.#options.workers.decides(worker)) return;
		if (worker.library === undefined && this.#bundle !== undefined) {
			this.#warnOnce(worker, `cannot hook the discord.js that is bundled into ${basename(this.#bundle)}. ${outOfBundle}`);
		} else if ((reason === 'clean' || reason === 'ready-timeout') && !worker.hasLoggedIn) {
			this.#warnOnce(worker, (this.#options.program ? neverConnected : neverLoggedIn)[reason]);
		}
		if (code === 0 || code === null) return;
		const { program } = this.#options;
		const module =
			program && stderrTail.map((line) => /^ModuleNotFoundError: No module named '([^']+)'/.exec(line)?.[1]).findLast(Boolean);
		if (module) {
			this.#warnOnce(
				worker,
				`${program.label} has no module "${module}": install it for that Python, or name the Python of the bot's virtual environment with --interpreter`,
			);
		}
		const address = addressInUse(stderrTail);
		if (address !== undefined) {
			this.#warnOnce(
				worker,
				`cannot listen on ${address}, which is in use (EADDRINUSE). Each worker is a process of its own: give each its own port, ` +
					'such as the base port plus its first shard id, listen in one of them only, or use one worker (--shards-per-worker)',
			);
		}
		const forThreads = threadAdvice(stderrTail);
		if (this.#options.threads && forThreads !== undefined) this.#warnOnce(worker, forThreads);
		const advice = fileExtensionAdvice(stderrTail);
		if (advice) this.#warnOnce(worker, `${advice.problem}. ${advice.remedy}`);
	}

	#onProblem(worker: ManagedWorker, { code, message, fatal }: BotProblem): void {
		if (!fatal) {
			this.#warnOnce(worker, message);
			return;
		}
		const { workers, refusals } = this.#options;
		const error = new ShardctlError('BOT_FILE_INVALID', message, { details: { problem: code } });
		// Of a new version it ends that process alone, and with it the deploy: the fleet runs another one.
		if (workers.decides(worker)) refusals.refuseProcess(worker, error);
		else worker.child.fail('fatal', error);
	}

	/** Every worker runs the same bot, so a problem is logged for the first one only. */
	#warnOnce(worker: ManagedWorker, message: string): void {
		if (this.#logged.has(message)) return;
		this.#logged.add(message);
		this.#options.logger.warn(`${worker.label}: ${message}`);
	}
}
