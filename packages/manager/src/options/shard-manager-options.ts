// The type of the options of createShardManager, with their documentation. What each may be is in option-table.ts.
import type { ControlOptions } from '@shardctl/control/server';
import type { Clock } from '@shardctl/core';
import type { RestartPolicy } from '@shardctl/supervisor';
import type { Logger } from 'pino';
import type { ClusterOptions } from './cluster-options.js';
import type { GatewayMode, GatewayOptions } from './gateway-options.js';
import type { QueueOptions } from './queue-options.js';
import type { ReshardMode, ReshardOptions } from './reshard-options.js';
import type { RestMode, RestOptions } from './rest-options.js';

/** Options of `createShardManager`; each is optional. */
export interface ShardManagerOptions {
	/** The bot's token, with or without `Bot ` (default: `DISCORD_TOKEN`). */
	token?: string;
	/** The bot's shard count (default `'auto'`: what Discord recommends). */
	totalShards?: number | 'auto';
	/** The shards that this manager runs, such as `[0, 1]` or `'0-3,7'` (default: all). */
	shardList?: readonly number[] | string;
	/** How many shards one worker runs at most (default 1; `'auto'` spreads them over the cores). */
	shardsPerWorker?: number | 'auto';
	/**
	 * What a worker is (default `'process'`): a process of its own, or a thread of a process that it shares with other workers
	 * (`'thread'`).
	 */
	workerMode?: 'process' | 'thread';
	/** With `workerMode: 'thread'`: how many workers a process runs (default 8). */
	threadsPerProcess?: number;
	/** Whether, and how, workers are restarted (default `true`). */
	respawn?: boolean | Partial<RestartPolicy>;
	/** Base URL of Discord's REST API (default: `SHARDCTL_API`, else `https://discord.com/api`). */
	api?: string;
	/**
	 * What runs the bot file (default: node; `python3` for a `.py` file): a command such as `'pypy3'` or `'poetry run python'`, or `'none'`
	 * where the file is a program itself. Everything but node needs `gateway: 'resident'`, which is the default then.
	 */
	interpreter?: string;
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
	/** How often workers report their figures (default 5 s). */
	statsIntervalMs?: number;
	/** Deadline of calls that set none (default 30 s). */
	callTimeoutMs?: number;
	/** Resident memory at which a worker is replaced (default: no limit). */
	maxMemoryBytes?: number;
	/** Session starts of the day that automatic restarts never use (default 50, and at most a tenth of the day's total). */
	identifyReserve?: number;
	/** Length of the identify window (default 5000). Only another API than Discord's, such as a simulator, may have a shorter one. */
	identifyWindowMs?: number;
	/**
	 * Who owns the Discord sessions (default `'direct'`: the workers). `'resident'`: separate gateway processes, so that workers are
	 * replaced, crash and restart without an identify and without a missed event. `'queue'`: these processes write the events to the Redis of
	 * `queue`, and workers, here (`workers`) or on any machine, read them there with `connectQueue` of `shardctl/queue`.
	 */
	gateway?: GatewayMode | GatewayOptions;
	/**
	 * How requests to Discord's REST API are sent (default `'direct'`, in a cluster `'shared'`). `'direct'`: by the library in each
	 * worker, which knows only its own share of the limits. `'shared'`: by one process, so that all workers share the bot's rate limits.
	 */
	rest?: RestMode | RestOptions;
	/**
	 * What happens when the bot outgrows its sessions with Discord: a session has 80 % of the 2,500 guilds that Discord allows, or Discord
	 * recommends twice the sessions. `'warn'` (the default): stats, events and metrics say so. `'auto'`: the fleet is resharded as well, as by
	 * {@link ShardManager.reshard}, when it is whole and quiet; needs `gateway: 'resident'` and more shards than sessions.
	 */
	reshard?: ReshardMode | ReshardOptions;
	/**
	 * Run one fleet with other managers, on any machines: the URL of the Redis that they share, or more about it and this node. Needs
	 * `gateway: 'resident'`.
	 */
	cluster?: string | ClusterOptions;
	/** With `gateway: 'queue'`: the URL of the Redis that the events go through, or more about it (default: `SHARDCTL_QUEUE`). */
	queue?: string | QueueOptions;
	/** With `gateway: 'queue'`: how many workers run here (default 1; none without a bot file). `ShardManager.scale` changes it. */
	workers?: number;
	/** The name under which the command line finds this manager (default: from package.json, else the folder). */
	name?: string;
	/** Whether to serve the control API (default `true`: on a Unix socket), and whether over TCP as well. */
	control?: boolean | ControlOptions;
	/** The simulator that is used instead of Discord, if any: `stats` shows its address. Set `api` to the same address. */
	simulator?: { url: string };
	/**
	 * Whether to print nothing of the bots. Otherwise (the default) each of their lines is printed as `[0-3] …` to the stream that it was
	 * written to, and the logger says why a worker exited.
	 */
	silent?: boolean;
	/** Any pino-compatible logger (default: pino, at level `info`, to standard output). */
	logger?: Logger;
	/** Time, for tests (default: the machine's). */
	clock?: Clock;
}
