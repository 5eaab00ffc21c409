// The options of createShardManager: one schema, one pure step from what was given to what holds.
import { availableParallelism } from 'node:os';
import { defaultManagerName } from '@shardctl/control';
import { type ControlOptions, controlSchema } from '@shardctl/control/server';
import {
	type Clock,
	type OptionProblem,
	optionProblems,
	optionsError,
	parseShardList,
	ShardctlError,
	systemClock,
} from '@shardctl/core';
import { defaultRestartPolicy, type ProcessHost, type RestartPolicy } from '@shardctl/supervisor';
import { type Logger, pino } from 'pino';
import { z } from 'zod';
import { identifyWindowMs } from '../identify/coordinator.js';
import { countsProblem, splitSessionProblem } from '../plan/counts.js';
import { absoluteBotFile } from './bot-file.js';
import {
	type GatewayMode,
	type GatewayOptions,
	gatewaySchema,
	type ResolvedGatewayOptions,
	resolveGatewayOptions,
} from './gateway-options.js';

/** Discord's REST API. */
const discordApi = 'https://discord.com/api';

const wholeNumber = (what: string, min: number) =>
	z
		.number({ error: (issue) => `${what}, got ${show(issue.input)}` })
		.int({ error: (issue) => `${what}, got ${show(issue.input)}` })
		.min(min, { error: (issue) => `${what}, got ${show(issue.input)}` });
const countOrAuto = z.custom<number | 'auto'>(
	(value) => value === 'auto' || (Number.isSafeInteger(value) && (value as number) >= 1),
	{
		error: (issue) => `must be a whole number from 1, or "auto", got ${show(issue.input)}`,
	},
);
const durationMs = z
	.number({ error: (issue) => `must be a number of milliseconds (0 or Infinity turns it off), got ${show(issue.input)}` })
	.or(z.literal(Number.POSITIVE_INFINITY))
	.refine((value) => value >= 0, { error: (issue) => `must not be negative, got ${show(issue.input)}` });
const textList = z.array(z.string(), { error: 'must be a list of texts' });
const positive = (what: string) =>
	z
		.number({ error: (issue) => `${what}, got ${show(issue.input)}` })
		.positive({ error: (issue) => `${what}, got ${show(issue.input)}` });

const restartPolicySchema = z.strictObject({
	initialDelayMs: durationMs.optional(),
	maxDelayMs: durationMs.optional(),
	factor: positive('must be a number of at least 1').optional(),
	maxRestarts: wholeNumber('must be a whole number from 1', 1).optional(),
	windowMs: durationMs.optional(),
	stableAfterMs: durationMs.optional(),
	cooldownMs: durationMs.optional(),
});

/** Every option of createShardManager, with what is allowed. */
export const managerOptionsSchema = z.strictObject({
	token: z.string({ error: 'must be a text' }).optional(),
	totalShards: countOrAuto.optional(),
	shardList: z
		.union([z.string(), z.array(z.number())], { error: 'must be a list of shard ids, or a text such as "0-3,7"' })
		.optional(),
	shardsPerWorker: countOrAuto.optional(),
	respawn: z.union([z.boolean(), restartPolicySchema], { error: 'must be true, false or a restart policy' }).optional(),
	api: z
		.url({
			protocol: /^https?$/,
			error: (issue) => `must be the URL of a REST API such as ${discordApi}, got ${show(issue.input)}`,
		})
		.optional(),
	args: textList.optional(),
	execArgv: textList.optional(),
	env: z.record(z.string(), z.string(), { error: 'must be an object of texts' }).optional(),
	cwd: z.string({ error: 'must be a folder' }).optional(),
	readyTimeoutMs: durationMs.optional(),
	shutdownGraceMs: durationMs.optional(),
	heartbeatTimeoutMs: durationMs.optional(),
	statsIntervalMs: durationMs.optional(),
	callTimeoutMs: durationMs.optional(),
	maxMemoryBytes: durationMs.optional(),
	identifyReserve: wholeNumber('must be a whole number from 0', 0).optional(),
	identifyWindowMs: positive('must be a number of milliseconds').optional(),
	name: z
		.string()
		.regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, {
			error: (issue) => `must be 1 to 64 letters, digits, ".", "_" or "-", got ${show(issue.input)}`,
		})
		.optional(),
	gateway: gatewaySchema.optional(),
	control: controlSchema.optional(),
	simulator: z.strictObject({ url: z.string() }, { error: 'must be an object with the url of the simulator' }).optional(),
	logger: z
		.custom<Logger>((value) => typeof (value as Logger | null)?.info === 'function', {
			error: 'must be a pino-compatible logger',
		})
		.optional(),
	clock: z
		.custom<Clock>((value) => typeof (value as Clock | null)?.monotonic === 'function', { error: 'must be a clock' })
		.optional(),
});

/** Options of {@link createShardManager}; all of them may be left out. */
export interface ShardManagerOptions {
	/** The bot's token, with or without `Bot ` (default: `DISCORD_TOKEN`). */
	token?: string;
	/** How many shards the bot has in all (default `'auto'`: what Discord recommends). */
	totalShards?: number | 'auto';
	/** The shards that this manager runs, such as `[0, 1]` or `'0-3,7'` (default: all). */
	shardList?: readonly number[] | string;
	/** How many shards one worker runs at most (default 1; `'auto'` spreads them over the cores). */
	shardsPerWorker?: number | 'auto';
	/** Whether, and how, workers are restarted (default `true`). */
	respawn?: boolean | Partial<RestartPolicy>;
	/** Base URL of Discord's REST API (default: `SHARDCTL_API`, else `https://discord.com/api`). */
	api?: string;
	/** Arguments of the bot. */
	args?: readonly string[];
	/** Arguments of node, such as `['--max-old-space-size=512']`. */
	execArgv?: readonly string[];
	/** Added to the environment that the workers inherit. */
	env?: Readonly<Record<string, string>>;
	/** Working folder of the workers (default: this process's). */
	cwd?: string;
	/** How long a worker may make no progress towards ready (default 60 s). Waiting for an identify slot does not count. */
	readyTimeoutMs?: number;
	/** How long a worker has to shut down before it is killed (default 10 s). */
	shutdownGraceMs?: number;
	/** How long a worker's main thread may not answer before it counts as hung (default 30 s). */
	heartbeatTimeoutMs?: number;
	/** How often workers push their figures (default 5 s). */
	statsIntervalMs?: number;
	/** Deadline of calls that name none (default 30 s). */
	callTimeoutMs?: number;
	/** Resident memory at which a worker is replaced (default: no limit). */
	maxMemoryBytes?: number;
	/** Session starts of the day that automatic restarts never spend (default 50, and at most a tenth of the day's total). */
	identifyReserve?: number;
	/** Length of the identify window (default 5000). Only another API than Discord's, such as a simulator, may have a shorter one. */
	identifyWindowMs?: number;
	/**
	 * Who holds the sessions with Discord (default `'direct'`: the workers). `'resident'`: gateway processes do, so that workers
	 * are replaced, crash and come back without an identify and without a missed event.
	 */
	gateway?: GatewayMode | GatewayOptions;
	/** The name under which the command line finds this manager (default: from package.json, else the folder). */
	name?: string;
	/** Whether to serve the control API (default `true`: on a Unix socket), and whether over TCP as well. */
	control?: boolean | ControlOptions;
	/** The simulator that stands in for Discord, if any: `stats` shows its address. Set `api` to the same address. */
	simulator?: { url: string };
	/** Any pino-compatible logger (default: pino, at level `info`, to standard output). */
	logger?: Logger;
	/** Time, for tests (default: the machine's). */
	clock?: Clock;
}

export interface ResolvedManagerOptions {
	file: string;
	token: string;
	totalShards: number | 'auto';
	shardList: readonly number[] | undefined;
	shardsPerWorker: number | 'auto';
	policy: RestartPolicy | null;
	api: string;
	args: readonly string[];
	execArgv: readonly string[];
	env: Readonly<Record<string, string>>;
	cwd: string;
	readyTimeoutMs: number;
	shutdownGraceMs: number;
	heartbeatTimeoutMs: number;
	statsIntervalMs: number;
	callTimeoutMs: number;
	maxMemoryBytes: number;
	identifyReserve: number;
	identifyWindowMs: number;
	/** Null in direct mode. */
	gateway: ResolvedGatewayOptions | null;
	name: string;
	control: false | ControlOptions;
	simulator: { url: string } | undefined;
	logger: Logger;
	clock: Clock;
	cores: number;
	/** The operating system, for tests; never given from outside (default: the real one). */
	processHost?: ProcessHost;
}

/**
 * Checks everything about the options that can be known before anything is started.
 * Throws one `OPTIONS_INVALID` with every problem; `BOT_FILE_INVALID` or `TOKEN_MISSING` when that is the only one.
 */
export function resolveManagerOptions(
	file: string,
	options: ShardManagerOptions = {},
	env: NodeJS.ProcessEnv = process.env,
): ResolvedManagerOptions {
	const api = options.api ?? env.SHARDCTL_API ?? discordApi;
	const parsed = managerOptionsSchema.safeParse({ ...options, api });
	const problems: OptionProblem[] = parsed.success ? [] : optionProblems(parsed.error, Object.keys(managerOptionsSchema.shape));
	const cwd = options.cwd ?? process.cwd();

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

	if ((options.identifyWindowMs ?? identifyWindowMs) < identifyWindowMs && String(api).startsWith(discordApi)) {
		problems.push({
			option: 'identifyWindowMs',
			problem: `must be at least ${identifyWindowMs} with Discord itself, which would refuse the identifies`,
		});
	}

	const botFile = absoluteBotFile(file, cwd);
	const token = (options.token ?? env.DISCORD_TOKEN ?? '').trim().replace(/^Bot\s+/i, '');
	const singles: ShardctlError[] = [];
	if (botFile instanceof ShardctlError) singles.push(botFile);
	if (token === '' && !problems.some(({ option }) => option === 'token')) singles.push(tokenMissing());
	if (problems.length === 0 && singles.length === 1) throw singles[0] as ShardctlError;
	problems.push(
		...singles.map((error) => ({ option: error.code === 'TOKEN_MISSING' ? 'token' : 'file', problem: error.message })),
	);
	if (problems.length > 0) throw optionsError('the options of the shard manager', problems);

	return {
		file: botFile as string,
		token,
		totalShards: options.totalShards ?? 'auto',
		shardList,
		shardsPerWorker: options.shardsPerWorker ?? 1,
		policy:
			options.respawn === false
				? null
				: { ...defaultRestartPolicy, ...(typeof options.respawn === 'object' ? options.respawn : {}) },
		api: api.replace(/\/+$/, ''),
		args: options.args ?? [],
		execArgv: options.execArgv ?? [],
		env: options.env ?? {},
		cwd,
		readyTimeoutMs: offAsInfinity(options.readyTimeoutMs ?? 60_000),
		shutdownGraceMs: options.shutdownGraceMs ?? 10_000,
		heartbeatTimeoutMs: offAsInfinity(options.heartbeatTimeoutMs ?? 30_000),
		statsIntervalMs: offAsInfinity(options.statsIntervalMs ?? 5000),
		callTimeoutMs: offAsInfinity(options.callTimeoutMs ?? 30_000),
		maxMemoryBytes: offAsInfinity(options.maxMemoryBytes ?? 0),
		identifyReserve: options.identifyReserve ?? 50,
		identifyWindowMs: options.identifyWindowMs ?? identifyWindowMs,
		gateway: resolveGatewayOptions(options.gateway),
		name: options.name ?? defaultManagerName(botFile as string),
		control: options.control === false ? false : typeof options.control === 'object' ? options.control : {},
		simulator: options.simulator,
		logger: options.logger ?? pino({ name: 'shardctl' }),
		clock: options.clock ?? systemClock,
		cores: availableParallelism(),
	};
}

/** What can be known of the sessions before Discord is asked. */
function sessionProblems({ gateway, totalShards }: ShardManagerOptions, shardList: number[] | undefined): OptionProblem[] {
	if (typeof gateway !== 'object' || gateway.sessions === undefined) return [];
	const { mode, sessions } = gateway;
	if (mode !== 'resident') {
		const problem =
			'needs gateway processes (--gateway resident, or mode "resident"): without them every shard has a session of its own';
		return [{ option: 'gateway.sessions', problem }];
	}
	if (!isCount(sessions) || !isCount(totalShards)) return [];
	const uneven = countsProblem({ totalShards, sessions });
	if (uneven !== undefined) return [{ option: 'gateway.sessions', problem: uneven }];
	const divided = shardList && splitSessionProblem(shardList, { totalShards, sessions });
	return divided === undefined ? [] : [{ option: 'shardList', problem: divided }];
}

function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 1;
}

function tokenMissing(): ShardctlError {
	return new ShardctlError(
		'TOKEN_MISSING',
		'no bot token: set the environment variable DISCORD_TOKEN, pass --token-file, or try without one by --simulate',
	);
}

function offAsInfinity(value: number): number {
	return value === 0 ? Number.POSITIVE_INFINITY : value;
}

function show(value: unknown): string {
	if (typeof value === 'string') return `"${value}"`;
	return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
