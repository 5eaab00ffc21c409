// Makes this process a worker, before the bot's first line runs.

import { meetLibraries } from './libraries/meet.js';
import { startRuntime } from './runtime.js';
import { readWorkerConfig } from './worker-config.js';

/** Does nothing in a process that was not started by a manager. */
export function startWorker(): void {
	const config = readWorkerConfig(process.env);
	if (!config) return;
	meetLibraries(startRuntime(config, process.env.DISCORD_TOKEN));
	// The manager may have gone before this process listened: the bot does not run without one.
	if (!process.connected) process.exit(1);
}
