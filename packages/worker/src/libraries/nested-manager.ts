// Refuses a bot file that starts processes for its shards by itself: under a manager each worker would start a whole fleet, with
// several live sessions per shard.

import cluster from 'node:cluster';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { field } from '../fields.js';
import type { WorkerRuntime } from '../runtime.js';

/** Replaces an exported manager class by one whose construction ends the worker. */
export function refuseManagerClass(exports: unknown, name: string, library: string, runtime: WorkerRuntime): void {
	const original = field(exports, name);
	if (typeof original !== 'function') return;
	const refusing = new Proxy(original, {
		construct: (_, [file]) => refuse(runtime, `a ${name} of ${library}`, typeof file === 'string' ? file : undefined),
	});
	Object.defineProperty(exports as object, name, { value: refusing, configurable: true, enumerable: true, writable: true });
}

/** Makes `cluster.fork()` end the worker. */
export function refuseClusterFork(runtime: WorkerRuntime): void {
	cluster.fork = () => refuse(runtime, 'processes with cluster.fork()', undefined) as never;
	syncBuiltinESMExports();
}

/**
 * The report leaves at the end of this turn, and with it the process. What is returned until then does nothing, whatever is called on
 * it; an exception could be caught, or end the process before the report has left.
 */
function refuse(runtime: WorkerRuntime, what: string, startedFile: string | undefined): object {
	const file = basename(runtime.config.botFile);
	const remedy =
		startedFile === undefined ? 'start the file that logs in instead' : `start that file instead: shardctl start ${startedFile}`;
	const starts = startedFile === undefined ? what : `${what} for ${startedFile}`;
	runtime.report({
		code: 'NESTED_MANAGER',
		message: `${file} starts ${starts}, and under shardctl each worker would start a fleet of its own; ${remedy}`,
		fatal: true,
	});
	return inert;
}

/** Every property of it is itself, and so is the result of every call; it is not a promise, so nothing waits for it. */
const inert: object = new Proxy(function inert() {}, {
	get: (_, key) => (key === 'then' || typeof key === 'symbol' ? undefined : inert),
	apply: () => inert,
	construct: () => inert,
	set: () => true,
});
