// The interface of every contender of the benchmark. Each is one small file beside this one that exports
// `title` and `start`; the table here maps names to files.

/**
 * @typedef {object} FleetOptions
 * @property {string} bot Absolute path of the file that the workers run.
 * @property {number} shards
 * @property {number} shardsPerWorker
 * @property {string} api Base URL of the simulator's REST API.
 * @property {string} token
 * @property {number} [spawnDelayMs] Pause between two workers, for contenders that have one; left out: as its documentation has it.
 * @property {number} identifyWindowMs The simulator's.
 */

/**
 * @typedef {object} Fleet
 * @property {Promise<unknown>} ready Every shard is ready, by what the contender itself says.
 * @property {() => number[]} pids Of the living workers.
 * @property {(script: Function, context: unknown) => Promise<unknown[]>} broadcastEval
 * @property {(path: string) => Promise<unknown[]>} fetchClientValues
 * @property {(value: unknown) => Promise<unknown[]>} [call] A request to a handler of the bot, in every worker.
 * @property {(index: number) => Promise<unknown>} kill Kills a worker by SIGKILL; resolves when its successor is ready.
 * @property {() => unknown} stop
 */

/** Module of each contender, by its name. */
export const contenders = {
	node: './plain-node.mjs',
	'node detached': './detached-node.mjs',
	'node, bot loaded': './loaded-node.mjs',
	shardctl: './shardctl.mjs',
	'discord.js': './discord-js.mjs',
	'hybrid-sharding': './hybrid-sharding.mjs',
};
