// Declares an option of a command once: parsing, help, its environment variable and shell completion are derived from it.
import { Option } from 'commander';

/**
 * An option with its environment variable: `--shards-per-worker` is `SHARDCTL_SHARDS_PER_WORKER`. `scope` is a second prefix, for
 * commands whose options mean something else than those of `start`.
 */
export function option(flags: string, description: string, scope?: string): Option {
	const made = new Option(flags, description);
	const name = made.long?.replace(/^--/, '').replaceAll('-', '_').toUpperCase() ?? '';
	return made.env(['SHARDCTL', scope, name].filter(Boolean).join('_'));
}

/** `--json`, the same for every command. */
export function jsonOption(): Option {
	return option('--json', 'print JSON');
}

const off = new Set(['', '0', 'false', 'no', 'off']);

/**
 * commander treats a flag as set whenever its variable exists; `SHARDCTL_DETACH=0` means no. Returns the environment variables
 * that must be treated as not set.
 */
export function unsetFlags(options: readonly Option[], env: NodeJS.ProcessEnv): string[] {
	return options.flatMap(({ envVar, required }) => {
		const value = envVar === undefined ? undefined : env[envVar];
		return envVar !== undefined && value !== undefined && !required && off.has(value.toLowerCase()) ? [envVar] : [];
	});
}
