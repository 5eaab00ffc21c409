// The type of a config file.
import type { ConfigFileOptions, FlagNamedOptions } from '@shardctl/manager/options';
import type { RunSettings } from './start-options.js';

/**
 * The content of `shardctl.config.{ts,js,json}`: every option of `start` under its own name in the notation of the command line
 * (`readyTimeout: '30s'`), or under its name in createShardManager (`readyTimeoutMs: 30_000`).
 *
 * @example
 * import type { ShardctlConfig } from 'shardctl';
 * export default { file: 'bot.js', shards: 'auto', maxMemory: '512MB' } satisfies ShardctlConfig;
 */
export interface ShardctlConfig extends ConfigFileOptions, FlagNamedOptions, Omit<RunSettings, 'config'> {
	/** The file that starts the bot, from the folder of the config file. */
	file?: string;
}
