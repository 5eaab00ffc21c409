// Declares an option of a command once: parsing, help, its twin in the environment and shell completion come from this.
import { Option } from 'commander';

/**
 * An option with its twin in the environment: `--shards-per-worker` is `SHARDCTL_SHARDS_PER_WORKER`. `scope` goes between, for
 * commands whose options mean something else than those of `start`.
 */
export function option(flags: string, description: string, scope?: string): Option {
	const made = new Option(flags, description);
	const name = made.long?.replace(/^--/, '').replaceAll('-', '_').toUpperCase() ?? '';
	return made.env(['SHARDCTL', scope, name].filter(Boolean).join('_'));
}

/** `--json`, the same everywhere. */
export function jsonOption(): Option {
	return option('--json', 'print JSON');
}

const off = new Set(['', '0', 'false', 'no', 'off']);

/**
 * commander takes a flag as set when its variable is there at all; people write `SHARDCTL_DETACH=0` and mean no. Answers the
 * environment's variables that must be taken as not set.
 */
export function unsetFlags(options: readonly Option[], env: NodeJS.ProcessEnv): string[] {
	return options.flatMap(({ envVar, required }) => {
		const value = envVar === undefined ? undefined : env[envVar];
		return envVar !== undefined && value !== undefined && !required && off.has(value.toLowerCase()) ? [envVar] : [];
	});
}
