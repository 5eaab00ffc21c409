// The door for code that runs a fleet itself.
import { resolveManagerOptions, type ShardManagerOptions } from './options/manager-options.js';
import { ShardManager } from './shard-manager.js';

/**
 * Makes a manager for a bot; {@link ShardManager.spawn} starts it. Nothing is started or opened here.
 *
 * Throws one `OPTIONS_INVALID` that lists every problem (`BOT_FILE_INVALID` or `TOKEN_MISSING` when that is the only one).
 *
 * @param file The module that starts the bot.
 * @example
 * const manager = createShardManager('bot.js', { totalShards: 'auto' });
 * await manager.spawn();
 * const guilds = await manager.fetchClientValues('guilds.cache.size');
 */
export function createShardManager(file: string, options: ShardManagerOptions = {}): ShardManager {
	return new ShardManager(resolveManagerOptions(file, options));
}
