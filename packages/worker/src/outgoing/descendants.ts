// Has the node processes and threads that a bot starts load our register module: on a simulator nothing of them reaches Discord, and a
// bot file that only starts the bot as another process is recognised.
import { ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import threads, { type WorkerOptions } from 'node:worker_threads';
import type { WorkerConfig } from '@shardctl/core';
import { type DescendantConfig, descendantConfigVariable } from './descendant-config.js';

export class Descendants {
	readonly #registerModule: string;
	/** Of this process, before it was changed. */
	readonly #nodeOptions: string | undefined;
	readonly #simulator: string | undefined;
	#config: DescendantConfig | undefined;

	/** @param registerModule What they load. */
	constructor({ botFile, launchMark, simulator }: WorkerConfig, registerModule: string) {
		this.#registerModule = registerModule;
		this.#nodeOptions = process.env.NODE_OPTIONS;
		this.#simulator = simulator;
		this.#setConfig({
			...(simulator === undefined ? {} : { simulator }),
			launcher: { file: basename(botFile), cwd: process.cwd(), mark: launchMark },
		});
		this.#hookProcesses();
		this.#hookThreads();
	}

	/** The bot has a client of its own: what it starts from now on is no longer taken for the bot. */
	noteClient(): void {
		this.#setConfig(this.#simulator === undefined ? undefined : { simulator: this.#simulator });
	}

	/** What is started without an environment of its own inherits the one of this process. */
	#setConfig(config: DescendantConfig | undefined): void {
		this.#config = config;
		Object.assign(process.env, this.#environment({ NODE_OPTIONS: this.#nodeOptions }));
		if (config) return;
		delete process.env[descendantConfigVariable];
		if (this.#nodeOptions === undefined) delete process.env.NODE_OPTIONS;
	}

	/** What is added to an environment. */
	#environment({ NODE_OPTIONS = '' }: { NODE_OPTIONS?: string | undefined }): Record<string, string> {
		// As node reads it: in quotes, with a backslash before quotes and backslashes.
		const preload = `--require ${JSON.stringify(this.#registerModule)}`;
		if (!this.#config) return { NODE_OPTIONS };
		return {
			[descendantConfigVariable]: JSON.stringify(this.#config),
			NODE_OPTIONS: NODE_OPTIONS.includes(preload) ? NODE_OPTIONS : `${preload} ${NODE_OPTIONS}`.trim(),
		};
	}

	/** `spawn`, `fork`, `exec` and `execFile` end up here, with the environment that the bot has given. */
	#hookProcesses(): void {
		const prototype = ChildProcess.prototype as unknown as Spawning;
		const { spawn } = prototype;
		const add = (pairs: string[]) => this.#addTo(pairs);
		prototype.spawn = function spawnWithConfig(this: unknown, options: { envPairs?: string[] }): unknown {
			if (options.envPairs) add(options.envPairs);
			return spawn.call(this, options);
		};
	}

	#addTo(pairs: string[]): void {
		if (!this.#config) return;
		const start = 'NODE_OPTIONS=';
		const index = pairs.findIndex((pair) => pair.startsWith(start));
		const own = index < 0 ? undefined : (pairs.splice(index, 1)[0] as string).slice(start.length);
		for (const [name, value] of Object.entries(this.#environment({ NODE_OPTIONS: own }))) pairs.push(`${name}=${value}`);
	}

	#hookThreads(): void {
		const withConfig = (options: WorkerOptions) => this.#inThread(options);
		threads.Worker = class Worker extends threads.Worker {
			constructor(file: string | URL, options?: WorkerOptions) {
				super(file, options && withConfig(options));
			}
		};
		syncBuiltinESMExports();
	}

	/** A thread that is given neither arguments nor an environment inherits those of this process. */
	#inThread(options: WorkerOptions): WorkerOptions {
		const { env, execArgv } = options;
		if (!this.#config) return options;
		return {
			...options,
			...(execArgv && { execArgv: ['--require', this.#registerModule, ...execArgv] }),
			...(typeof env === 'object' && { env: { ...env, [descendantConfigVariable]: JSON.stringify(this.#config) } }),
		};
	}
}

interface Spawning {
	spawn(this: unknown, options: { envPairs?: string[] }): unknown;
}
