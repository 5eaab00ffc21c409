// Resolves the options of createShardManager: one pure step from what was given to what the manager uses, and every problem at once.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defaultManagerName } from '@shardctl/control';
import type { ControlOptions } from '@shardctl/control/server';
import {
	describeValue,
	identifyWindowMs,
	type OptionProblem,
	optionProblems,
	optionsError,
	ShardctlError,
	systemClock,
} from '@shardctl/core';
import { defaultRestartPolicy, type ProcessHost, type RestartPolicy } from '@shardctl/supervisor';
import { pino } from 'pino';
import { z } from 'zod';
import { countsProblem, splitSessionProblem } from '../plan/counts.js';
import { absoluteBotFile } from './bot-file.js';
import { type ResolvedClusterOptions, resolveClusterOptions } from './cluster-options.js';
import { type ForeignProgram, foreignProgram, programFile } from './foreign-program.js';
import { type ResolvedGatewayOptions, resolveGatewayOptions } from './gateway-options.js';
import { optionKinds } from './option-kinds.js';
import { managerOptionTable } from './option-table.js';
import { type ResolvedQueueOptions, resolveQueueOptions } from './queue-options.js';
import { type ResolvedReshardOptions, resolveReshardOptions } from './reshard-options.js';
import { type ResolvedRestOptions, resolveRestOptions } from './rest-options.js';
import { parseShardList } from './shard-list.js';
import type { ShardManagerOptions } from './shard-manager-options.js';
import { typeScriptLoader } from './typescript-loader.js';

/** Discord's REST API. */
const discordApi = 'https://discord.com/api';

/** Every option of createShardManager, with what is allowed. */
export const managerOptionsSchema = z.strictObject(
	Object.fromEntries(Object.entries(managerOptionTable).map(([name, { kind }]) => [name, optionKinds[kind].optional()])),
);

/** The options that the manager uses as they were given, or their default. */
type AsGiven =
	| 'totalShards'
	| 'shardsPerWorker'
	| 'workerMode'
	| 'threadsPerProcess'
	| 'args'
	| 'execArgv'
	| 'env'
	| 'readyTimeoutMs'
	| 'shutdownGraceMs'
	| 'heartbeatTimeoutMs'
	| 'statsIntervalMs'
	| 'callTimeoutMs'
	| 'identifyReserve'
	| 'silent'
	| 'identifyWindowMs';

/** In the limits and intervals, `Infinity` is none. */
export interface ResolvedManagerOptions
	extends Required<Pick<ShardManagerOptions, AsGiven | 'cwd' | 'maxMemoryBytes' | 'name' | 'token' | 'logger' | 'clock'>> {
	/** Empty in a fleet without workers, whose events go to a queue. */
	file: string;
	/** What runs the bot file; null where it is a module for Node.js. */
	program: ForeignProgram | null;
	/** The package that was found to run a bot file in TypeScript; `execArgv` loads it. */
	loader: string | undefined;
	shardList: readonly number[] | undefined;
	policy: RestartPolicy | null;
	/** Base URL of Discord's REST API. */
	api: string;
	/** Null in direct mode, where workers send their requests to {@link api} themselves. */
	rest: ResolvedRestOptions | null;
	/** Null where no gateway processes hold sessions. */
	gateway: ResolvedGatewayOptions | null;
	/** Null where events do not go through a queue. */
	queue: ResolvedQueueOptions | null;
	reshard: ResolvedReshardOptions;
	/** Null without a cluster. */
	cluster: ResolvedClusterOptions | null;
	control: false | ControlOptions;
	/** The simulator that is used instead of Discord, if any. */
	simulator: { url: string } | undefined;
	cores: number;
	/** The operating system, for tests; never an option (default: the real one). */
	processHost?: ProcessHost;
}

/**
 * Checks everything about the options that can be known before anything is started.
 * Throws one `OPTIONS_INVALID` with every problem; `BOT_FILE_INVALID` or `TOKEN_MISSING` when that is the only one.
 *
 * @param file Null for a fleet that only writes to a queue.
 */
export function resolveManagerOptions(
	file: string | null,
	options: ShardManagerOptions = {},
	env: NodeJS.ProcessEnv = process.env,
): ResolvedManagerOptions {
	if (typeof options !== 'object' || options === null) {
		const problem = `must be an object, got ${describeValue(options)}`;
		throw optionsError('the options of the shard manager', [{ option: '', problem }]);
	}
	const givenApi = options.api ?? env.SHARDCTL_API ?? discordApi;
	const parsed = managerOptionsSchema.safeParse({ ...options, api: givenApi });
	const problems: OptionProblem[] = parsed.success ? [] : optionProblems(parsed.error, Object.keys(managerOptionTable));
	// A value of another type is among the problems already.
	const cwd = typeof options.cwd === 'string' ? options.cwd : process.cwd();

	let shardList: number[] | undefined;
	if (options.shardList !== undefined && !problems.some(({ option }) => option.startsWith('shardList'))) {
		const list = parseShardList(options.shardList);
		if ('problem' in list) problems.push({ option: 'shardList', problem: `must be ${list.problem}` });
		else shardList = list.value;
	}
	if (shardList && typeof options.totalShards === 'number') {
		const beyond = shardList.filter((id) => id >= (options.totalShards as number));
		if (beyond.length > 0) {
			problems.push({
				option: 'shardList',
				problem: `shard ${beyond[0]} does not exist: with ${options.totalShards} shards the ids are 0 to ${options.totalShards - 1}`,
			});
		}
	}

	problems.push(...sessionProblems(options, shardList));
	const mode = modeOf(options);
	if (mode === 'queue') problems.push(...notWithQueue(options));
	const asked = problems.some(({ option }) => option.startsWith('cluster')) ? undefined : options.cluster;
	const cluster = resolveClusterOptions(asked, problems);
	if (cluster && shardList)
		problems.push({ option: 'shardList', problem: 'cannot be set with cluster, which places the shards' });

	const queue = resolveQueueOptions(
		{
			isOn: mode === 'queue',
			queue: problems.some(({ option }) => option.startsWith('queue')) ? undefined : options.queue,
			workers: options.workers,
			hasFile: file !== null,
			clusterRedis: cluster?.redis,
			env,
		},
		problems,
	);

	if ((options.identifyWindowMs ?? identifyWindowMs) < identifyWindowMs && String(givenApi).startsWith(discordApi)) {
		problems.push({
			option: 'identifyWindowMs',
			problem: `must be at least ${identifyWindowMs} with Discord's own API, which would refuse the identifies`,
		});
	}

	const search = { interpreter: options.interpreter, cwd, env: { ...env, ...options.env } };
	const program = file === null ? null : foreignProgram(file, search);
	const isForeign = program !== null && !(program instanceof ShardctlError);
	const botFile =
		file === null
			? withoutFile(mode)
			: program instanceof ShardctlError
				? program
				: program?.interpreter === null
					? programFile(file, search)
					: absoluteBotFile(file, cwd, { any: isForeign });
	if (isForeign && file !== null) problems.push(...foreignProblems(file, program, options));
	if (!problems.some(({ option }) => option.startsWith('reshard'))) problems.push(...reshardProblems(options, { isForeign }));
	const givenToken = String(options.token ?? env.DISCORD_TOKEN ?? '').trim();
	const token = givenToken.replace(/^Bot\s+/i, '');
	if (/^["'`]|["'`]$/.test(givenToken)) {
		problems.push({
			option: 'token',
			problem:
				'is in quotes, which are not part of a token: remove them where it is set (a shell removes them from DISCORD_TOKEN="…", ' +
				"Docker's --env-file does not)",
		});
	}
	const singles: ShardctlError[] = [];
	if (botFile instanceof ShardctlError) singles.push(botFile);
	if (token === '' && !problems.some(({ option }) => option === 'token')) singles.push(tokenMissing());
	if (problems.length === 0 && singles.length === 1) throw singles[0] as ShardctlError;
	problems.push(
		...singles.map((error) => ({ option: error.code === 'TOKEN_MISSING' ? 'token' : 'file', problem: error.message })),
	);
	if (problems.length > 0) throw optionsError('the options of the shard manager', problems);

	const api = givenApi.replace(/\/+$/, '');
	const given = <Name extends AsGiven>(name: Name): Required<ShardManagerOptions>[Name] =>
		(options[name] ?? managerOptionTable[name].default) as Required<ShardManagerOptions>[Name];
	const loader =
		isForeign || file === null
			? undefined
			: typeScriptLoader(botFile as string, {
					execArgv: given('execArgv'),
					nodeOptions: given('env').NODE_OPTIONS ?? env.NODE_OPTIONS,
				});
	return {
		file: botFile as string,
		program: program as ForeignProgram | null,
		loader: loader?.name,
		token,
		totalShards: given('totalShards'),
		shardList,
		shardsPerWorker: given('shardsPerWorker'),
		workerMode: given('workerMode'),
		threadsPerProcess: given('threadsPerProcess'),
		policy:
			options.respawn === false
				? null
				: { ...defaultRestartPolicy, ...(typeof options.respawn === 'object' ? options.respawn : {}) },
		api,
		rest: resolveRestOptions(options.rest),
		reshard: resolveReshardOptions(options.reshard),
		args: given('args'),
		execArgv: [...(loader?.execArgv ?? []), ...given('execArgv')],
		env: given('env'),
		cwd,
		readyTimeoutMs: offAsInfinity(given('readyTimeoutMs')),
		// 0 is no grace, not an endless one.
		shutdownGraceMs: given('shutdownGraceMs'),
		heartbeatTimeoutMs: offAsInfinity(given('heartbeatTimeoutMs')),
		statsIntervalMs: offAsInfinity(given('statsIntervalMs')),
		callTimeoutMs: offAsInfinity(given('callTimeoutMs')),
		maxMemoryBytes: offAsInfinity(options.maxMemoryBytes ?? 0),
		identifyReserve: given('identifyReserve'),
		identifyWindowMs: given('identifyWindowMs'),
		gateway: queue?.sessions === false ? null : resolveGatewayOptions(options.gateway ?? (isForeign ? 'resident' : undefined)),
		queue,
		// A program may be anywhere in the PATH.
		name:
			options.name ??
			defaultManagerName(
				file === null
					? join(cwd, 'queue')
					: isForeign && program.interpreter === null
						? join(cwd, 'program')
						: (botFile as string),
			),
		cluster,
		control: options.control === false ? false : typeof options.control === 'object' ? options.control : {},
		simulator: options.simulator,
		silent: given('silent'),
		logger: options.logger ?? pino({ name: 'shardctl' }),
		clock: options.clock ?? systemClock,
		cores: availableParallelism(),
	};
}

function modeOf({ gateway }: ShardManagerOptions): unknown {
	return typeof gateway === 'object' && gateway !== null ? gateway.mode : gateway;
}

/** The path of no file, where the fleet needs none. */
function withoutFile(mode: unknown): '' | ShardctlError {
	if (mode === 'queue') return '';
	return new ShardctlError(
		'BOT_FILE_INVALID',
		'name the file that starts the bot: only a fleet with gateway "queue" runs without one',
	);
}

/** What cannot be set for a fleet whose events go to a queue. */
function notWithQueue({ gateway, workerMode }: ShardManagerOptions): OptionProblem[] {
	const given = typeof gateway === 'object' ? gateway : undefined;
	const problems: OptionProblem[] = [];
	if (given?.delivery === 'at-most-once') {
		problems.push({
			option: 'gateway.delivery',
			problem: 'cannot be set with mode "queue", which delivers each event at least once',
		});
	}
	if (workerMode === 'thread') {
		problems.push({ option: 'workerMode', problem: 'cannot be "thread" with gateway "queue": its workers are processes' });
	}
	return problems;
}

/** What cannot be set with a bot that is not for Node.js. */
function foreignProblems(
	file: string,
	{ label }: ForeignProgram,
	{ gateway, execArgv, workerMode }: ShardManagerOptions,
): OptionProblem[] {
	const mode = typeof gateway === 'object' ? gateway.mode : gateway;
	return [
		...(mode === 'queue'
			? [
					{
						option: 'gateway',
						problem: `cannot be "queue" with ${file}: a worker that is not Node.js reads the queue itself, and is not started by shardctl`,
					},
				]
			: []),
		...(mode === 'direct'
			? [
					{
						option: 'gateway',
						problem:
							`cannot be "direct" with ${file}, which ${label === file ? 'is a program of its own' : `${label} runs`}: the identifies of workers ` +
							'that are not Node.js are paced by gateway processes only. Leave it out (--gateway), or set it to "resident"',
					},
				]
			: []),
		...(workerMode === 'thread'
			? [{ option: 'workerMode', problem: `cannot be "thread" with ${file}, which Node.js does not run` }]
			: []),
		...(execArgv && execArgv.length > 0
			? [
					{
						option: 'execArgv',
						problem: `are arguments for node, which does not run ${file}: give those of another program in --interpreter`,
					},
				]
			: []),
	];
}

/** The problems of sessions and shards that show before Discord is asked. */
function sessionProblems({ gateway, totalShards }: ShardManagerOptions, shardList: number[] | undefined): OptionProblem[] {
	if (typeof gateway !== 'object' || gateway.sessions === undefined) return [];
	const { mode, sessions } = gateway;
	if (mode !== 'resident' && mode !== 'queue') {
		const problem =
			'needs gateway processes (--gateway resident, or mode "resident"): without them every shard has its own session';
		return [{ option: 'gateway.sessions', problem }];
	}
	if (!isCount(sessions) || !isCount(totalShards)) return [];
	const uneven = countsProblem({ totalShards, sessions });
	if (uneven !== undefined) return [{ option: 'gateway.sessions', problem: uneven }];
	const divided = shardList && splitSessionProblem(shardList, { totalShards, sessions });
	return divided === undefined ? [] : [{ option: 'shardList', problem: divided }];
}

/** What an automatic resharding cannot be combined with. */
function reshardProblems(
	{ reshard, gateway, cluster, shardList }: ShardManagerOptions,
	{ isForeign }: { isForeign: boolean },
): OptionProblem[] {
	if (resolveReshardOptions(reshard).mode !== 'auto') {
		const isIdle = typeof reshard === 'object' && reshard?.window !== undefined;
		return isIdle ? [{ option: 'reshard.window', problem: 'is of no use without the mode "auto" (--reshard auto)' }] : [];
	}
	const problem = (why: string) => [{ option: 'reshard', problem: `cannot be "auto" ${why}` }];
	const mode = (typeof gateway === 'object' ? gateway?.mode : gateway) ?? (isForeign ? 'resident' : 'direct');
	if (mode !== 'resident' && mode !== 'queue') {
		return problem('without gateway processes (--gateway resident): in direct mode the workers hold the sessions');
	}
	if (mode === 'queue' && cluster !== undefined) {
		return problem('with a queue in a cluster, whose sessions cannot be replaced while it runs yet');
	}
	if (typeof cluster === 'object' && cluster?.state === 'none') {
		return problem('with a cluster without shared state (--cluster-state none), whose sessions cannot be replaced while it runs');
	}
	return shardList === undefined ? [] : problem('with shardList: only a fleet that has all shards of the bot can be resharded');
}

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 1;
}

function tokenMissing(): ShardctlError {
	return new ShardctlError(
		'TOKEN_MISSING',
		'no bot token: set the environment variable DISCORD_TOKEN, pass --token-file, or use --simulate, which needs none',
	);
}

function offAsInfinity(value: number): number {
	return value === 0 ? Number.POSITIVE_INFINITY : value;
}
