// What a worker's process is started with: discord.js's own variables, so that the library picks up its slice by itself, and
// the brief for the worker package. Pure.
import { briefVariable, type WorkerBrief } from '@shardctl/core';

/**
 * The environment of a worker. `SHARDING_MANAGER*`, `SHARDS` and `SHARD_COUNT` are what discord.js 14 reads; the token travels
 * here and not in the arguments, which every user of the machine can read.
 */
export function workerEnvironment(
	inherited: NodeJS.ProcessEnv,
	{ brief, token, env }: { brief: WorkerBrief; token: string; env: Readonly<Record<string, string>> },
): Record<string, string> {
	const own = {
		SHARDING_MANAGER: 'true',
		SHARDING_MANAGER_MODE: 'process',
		SHARDS: JSON.stringify(brief.shardIds),
		SHARD_COUNT: String(brief.totalShards),
		DISCORD_TOKEN: token,
		[briefVariable]: JSON.stringify(brief),
	};
	const result: Record<string, string> = {};
	for (const [name, value] of Object.entries({ ...inherited, ...env, ...own })) {
		if (value !== undefined) result[name] = value;
	}
	return result;
}
