// The door for code that runs a fleet itself: puts a manager and its control API together.
import { startControl } from '@shardctl/control/server';
import { controlledFleet } from './controlled-fleet.js';
import { type ResolvedManagerOptions, resolveManagerOptions } from './options/manager-options.js';
import type { ShardManagerOptions } from './options/shard-manager-options.js';
import { printFleet } from './print-fleet.js';
import { ShardManager } from './shard-manager.js';

/**
 * Makes a manager for a bot; {@link ShardManager.spawn} starts it. Nothing is started or opened here.
 *
 * Throws one `OPTIONS_INVALID` that lists every problem (`BOT_FILE_INVALID` or `TOKEN_MISSING` when that is the only one).
 *
 * @param file The module that starts the bot; null for a fleet with `gateway: 'queue'` whose workers all run elsewhere.
 * @example
 * const manager = createShardManager('bot.js', { totalShards: 'auto' });
 * await manager.spawn();
 * const guilds = await manager.fetchClientValues('guilds.cache.size');
 */
export function createShardManager(file: string | null, options: ShardManagerOptions = {}): ShardManager {
	return assembleManager(resolveManagerOptions(file, options));
}

/** @internal A manager for options that are resolved; tests give it a scripted operating system. */
export function assembleManager(options: ResolvedManagerOptions): ShardManager {
	const { control, clock, silent, logger } = options;
	const manager = new ShardManager({
		options,
		asFleet: (self) => controlledFleet(self, clock, logger),
		startControl: control === false ? null : (fleet) => startControl(fleet, control, options),
	});
	if (!silent) printFleet(manager, logger);
	return manager;
}
