// Every option of `start`, once: flag, environment twin, config key and what it means to createShardManager.
import type { ShardManagerOptions } from '@shardctl/manager';
import type { Option } from 'commander';
import { option } from '../option.js';
import { duration, size, whole, wholeOrAuto } from '../option-parsers.js';

/** What the manager itself does not know: how this process runs it. */
export interface RunSettings {
	config?: string;
	simulate?: number | true;
	tokenFile?: string;
	detach?: boolean;
	logFormat?: 'pretty' | 'json';
	logDir?: string;
	port?: number;
	host?: string;
	allowEval?: boolean;
	gatewaySessions?: number | 'auto';
}

interface Declared {
	option: Option;
	/** The option of createShardManager that it sets. */
	sets?: keyof ShardManagerOptions;
}

function declared(): Declared[] {
	return [
		{
			option: option(
				'--shards <auto|count>',
				'how many shards the bot has in all (default: auto, what Discord recommends)',
			).argParser(wholeOrAuto),
			sets: 'totalShards',
		},
		{ option: option('--shard-list <ids>', 'the shards to run here, such as 0-3,7 (default: all)'), sets: 'shardList' },
		{
			option: option('--shards-per-worker <auto|count>', 'how many shards share a process (default: 1)').argParser(wholeOrAuto),
			sets: 'shardsPerWorker',
		},
		{
			option: option('--name <name>', 'the name for stats, stop and so on (default: from package.json, else the folder)'),
			sets: 'name',
		},
		{
			option: option(
				'--gateway <mode>',
				'who holds the sessions with Discord: the workers, or gateway processes of their own, so that workers come and go (default: direct)',
			).choices(['direct', 'resident']),
			sets: 'gateway',
		},
		{
			option: option(
				'--gateway-sessions <auto|count>',
				'with --gateway resident: how many sessions the shards come through, of which they are a whole multiple (default: one each)',
			).argParser(wholeOrAuto),
		},
		{ option: option('--api <url>', "base URL of Discord's REST API"), sets: 'api' },
		{ option: option('--token-file <file>', 'read the token from a file (default: DISCORD_TOKEN)') },
		{ option: option('--no-respawn', 'do not restart workers that end'), sets: 'respawn' },
		{ option: option('--simulate [guilds]', 'run on a simulated Discord: needs no token').argParser(guildCount) },
		{
			option: option('--ready-timeout <time>', 'replace a worker that makes no progress for so long (default: 60s)').argParser(
				duration,
			),
			sets: 'readyTimeoutMs',
		},
		{
			option: option(
				'--heartbeat-timeout <time>',
				'replace a worker whose event loop is blocked for so long (default: 30s)',
			).argParser(duration),
			sets: 'heartbeatTimeoutMs',
		},
		{
			option: option('--grace <time>', 'how long a worker has to shut down (default: 10s)').argParser(duration),
			sets: 'shutdownGraceMs',
		},
		{
			option: option('--max-memory <size>', 'replace a worker above this resident memory, such as 512MB').argParser(size),
			sets: 'maxMemoryBytes',
		},
		{
			option: option('--port <port>', 'serve the control API over TCP as well, on this port (0: any free one)').argParser(
				whole(0),
			),
		},
		{ option: option('--host <address>', 'where to, with --port (default: 127.0.0.1)') },
		{ option: option('--allow-eval', 'let clients over TCP run code in the bot') },
		{ option: option('-d, --detach', 'run in the background, with log files') },
		{
			option: option('--log-dir <folder>', 'also write the log to files here, rotated (default with --detach: the state folder)'),
		},
		{
			option: option(
				'--log-format <format>',
				'pretty for people, json for programs (default: by whether this is a terminal)',
			).choices(['pretty', 'json']),
		},
		{ option: option('-c, --config <file>', 'the config file (default: shardctl.config.{ts,js,json} in this folder)') },
	];
}

/** `true` in the environment stands for the flag without a number. */
function guildCount(text: string): number | true {
	return text === 'true' ? true : whole(0)(text);
}

export function startOptions(): Option[] {
	return declared().map(({ option: each }) => each);
}

/** Config key → its option, so that a config file takes what the command line takes, in the same notation. */
export function configKeys(): ReadonlyMap<string, Declared> {
	return new Map(declared().map((each) => [each.option.attributeName(), each]));
}
