// The type of a config file.
import type { ShardManagerOptions } from '@shardctl/manager';
import type { RunSettings } from '../start/start-options.js';

/**
 * What `shardctl.config.{ts,js,json}` may hold: every option of `start` under its own name in the notation of the command line
 * (`readyTimeout: '30s'`), or under the name that createShardManager gives it (`readyTimeoutMs: 30_000`).
 *
 * @example
 * import type { ShardctlConfig } from 'shardctl';
 * export default { file: 'bot.js', shards: 'auto', maxMemory: '512MB' } satisfies ShardctlConfig;
 */
export interface ShardctlConfig extends Omit<ShardManagerOptions, 'logger' | 'clock'>, Omit<RunSettings, 'config'> {
	/** The file that starts the bot, from the folder of the config file. */
	file?: string;
	/** How many shards the bot has in all (default `'auto'`). */
	shards?: number | 'auto';
	/** How long a worker may make no progress towards ready, such as `'60s'`. */
	readyTimeout?: number | string;
	/** How long a worker's event loop may be blocked, such as `'30s'`. */
	heartbeatTimeout?: number | string;
	/** How long a worker has to shut down, such as `'10s'`. */
	grace?: number | string;
	/** Resident memory at which a worker is replaced, such as `'512MB'`. */
	maxMemory?: number | string;
}
