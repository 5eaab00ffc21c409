// Makes this process or thread a worker, before the bot's first line runs.

import { meetLibraries } from './libraries/meet.js';
import { Descendants } from './outgoing/descendants.js';
import { detourOwnConnections } from './outgoing/worker-detour.js';
import { followQueue } from './queue-reports.js';
import { startRuntime } from './runtime.js';
import { redirectDescriptors } from './thread/own-descriptors.js';
import { takeThreadEnd } from './thread/thread-end.js';
import { readWorkerConfig } from './worker-config.js';

/**
 * Does nothing in a process that was not started by a manager.
 *
 * @param registerModule The file that was loaded before the bot.
 */
export function startWorker(registerModule: string): void {
	const config = readWorkerConfig(process.env);
	if (!config) return;
	const thread = config.thread ? takeThreadEnd() : undefined;
	const runtime = startRuntime({ config, token: process.env.DISCORD_TOKEN, thread });
	if (config.queue) followQueue(runtime);
	const descendants = new Descendants(config, registerModule);
	runtime.onClientMet(() => descendants.noteClient());
	detourOwnConnections(config, () => runtime.hasMetClient);
	meetLibraries(runtime);
	if (thread) {
		redirectDescriptors();
		return;
	}
	// nodemon sends it to every process of the fleet. The manager gets it as well, and ends its workers in order.
	process.on('SIGUSR2', () => {});
	// The manager may have gone before this process listened: the bot does not run without one.
	if (!process.connected) process.exit(1);
}
