// What a worker's process that is not Node's is started with: the program, and the environment by which it finds its shards and its local
// gateway.
import type { GatewayInfo } from '@shardctl/core';
import type { CommandChildSpec } from '@shardctl/supervisor';
import { childEnvironment } from '../children/child-environment.js';
import type { ForeignProgram } from '../options/foreign-program.js';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import { pythonFolder } from './python-folder.js';

/** Where a program finds file descriptor 3; see line-channel.ts. */
const lineDescriptor = 3;

/** What one process of a worker is. */
export interface ForeignProcess {
	workerId: number;
	shardIds: readonly number[];
	totalShards: number;
	gateway: GatewayInfo;
	/** Of the version of the bot that it runs. */
	paths: { file: string; cwd?: string | undefined };
}

export function foreignSpec(
	options: ResolvedManagerOptions,
	program: ForeignProgram,
	{ workerId, shardIds, totalShards, gateway, paths }: ForeignProcess,
): CommandChildSpec {
	const { interpreter, interpreterArgs } = program;
	const { file, cwd } = paths;
	const [command, args] =
		interpreter === null ? [file, options.args] : [interpreter, [...interpreterArgs, file, ...options.args]];
	return {
		id: `worker ${workerId}`,
		command,
		args: [...args],
		lines: true,
		env: foreignEnvironment(process.env, {
			env: options.env,
			token: options.token,
			shardIds,
			totalShards,
			gateway,
			graceMs: options.shutdownGraceMs,
		}),
		...(cwd === undefined ? {} : { cwd }),
	};
}

/**
 * The environment of such a process. Of what this process inherited, the settings of shardctl are left out: the password of a cluster's
 * Redis and the tokens of the control API are among them.
 */
export function foreignEnvironment(
	inherited: NodeJS.ProcessEnv,
	{
		env,
		token,
		shardIds,
		totalShards,
		gateway,
		graceMs,
	}: {
		env: Readonly<Record<string, string>>;
		token: string;
		shardIds: readonly number[];
		totalShards: number;
		gateway: GatewayInfo;
		graceMs: number;
	},
): Record<string, string> {
	const others = Object.fromEntries(Object.entries(inherited).filter(([name]) => !/^SHARDCTL_/i.test(name)));
	const pythonPath = env.PYTHONPATH ?? inherited.PYTHONPATH;
	const [first] = shardIds;
	const own = {
		SHARDCTL_GATEWAY_URL: gateway.url,
		// It answers GET /gateway/bot with the address of the local gateway, and forwards every other request to Discord.
		SHARDCTL_API: `${gateway.url.replace(/^ws/, 'http')}/api`,
		SHARDCTL_FD: String(lineDescriptor),
		SHARDCTL_GRACE_MS: String(Number.isFinite(graceMs) ? Math.round(graceMs) : 2 ** 31),
		SHARDS: shardIds.length === 1 ? String(first) : JSON.stringify(shardIds),
		...(shardIds.length === 1 ? { SHARD_ID: String(first) } : {}),
		SHARD_COUNT: String(totalShards),
		DISCORD_TOKEN: token,
		PYTHONPATH: [pythonFolder, ...(pythonPath ? [pythonPath] : [])].join(process.platform === 'win32' ? ';' : ':'),
	};
	// Lines of the bot's output are shown when it writes them.
	return childEnvironment({ PYTHONUNBUFFERED: '1' }, others, env, { SHARD_ID: undefined }, own);
}
