// Runs `shardctl start` with its options, in this terminal or in the background.
import type { LoadedConfig } from '../config/load-config.js';
import { resolveStart } from './resolve-start.js';
import type { RunSettings } from './start-options.js';

export interface StartRequest {
	file: string | undefined;
	args: readonly string[];
	/** What was given on the command line or in the environment, by config key. */
	given: Readonly<Record<string, unknown>>;
}

/** Returns the exit status. Throws for invalid options before anything starts. */
export async function start(request: StartRequest): Promise<number> {
	const config = await configOf(request.given);
	const plan = resolveStart({ ...request, config });
	if (plan.run.detach) {
		const { startDetached, takeDetachedMark } = await import('./detach.js');
		if (!takeDetachedMark(process.env)) return startDetached(plan);
	}
	const { runFleet } = await import('./run-fleet.js');
	return runFleet(plan);
}

async function configOf({ config: named }: RunSettings): Promise<LoadedConfig | undefined> {
	const { findConfig } = await import('../config/find-config.js');
	const path = findConfig(named, process.cwd());
	if (path === undefined) return undefined;
	const { loadConfig } = await import('../config/load-config.js');
	return loadConfig(path);
}
