// `shardctl start`: reads the options, runs a manager until somebody stops it, and shows what happens.
import { Command, Option } from 'commander';
import { duration, size, whole, wholeOrAuto } from '../option-parsers.js';

export interface StartOptions {
	shards?: number | 'auto';
	shardList?: string;
	shardsPerWorker?: number | 'auto';
	name?: string;
	api?: string;
	tokenFile?: string;
	/** commander's reading of `--no-respawn`. */
	respawn: boolean;
	simulate?: number | true;
	readyTimeout?: number;
	heartbeatTimeout?: number;
	grace?: number;
	maxMemory?: number;
	logFormat?: 'pretty' | 'json';
}

export function startCommand(): Command {
	return new Command('start')
		.description('Runs a bot as a fleet of shards until it is stopped.')
		.argument('<file>', 'the file that starts the bot')
		.argument('[bot args...]', 'arguments for the bot, after --')
		.addOption(
			env('--shards <auto|count>', 'how many shards the bot has in all', 'SHARDS_TOTAL').default('auto').argParser(wholeOrAuto),
		)
		.addOption(env('--shard-list <ids>', 'the shards to run here, such as 0-3,7 (default: all)', 'SHARD_LIST'))
		.addOption(
			env('--shards-per-worker <count|auto>', 'how many shards share a process', 'SHARDS_PER_WORKER')
				.default(1)
				.argParser(wholeOrAuto),
		)
		.addOption(env('--name <name>', 'the name for stats, stop and so on (default: from package.json, else the folder)', 'NAME'))
		.addOption(env('--api <url>', "base URL of Discord's REST API", 'API'))
		.addOption(env('--token-file <file>', 'read the token from a file (default: DISCORD_TOKEN)', 'TOKEN_FILE'))
		.addOption(env('--no-respawn', 'do not restart workers that end', 'NO_RESPAWN'))
		.addOption(env('--simulate [guilds]', 'run on a simulated Discord: needs no token', 'SIMULATE').argParser(whole(0)))
		.addOption(
			env('--ready-timeout <time>', 'replace a worker that makes no progress for so long', 'READY_TIMEOUT')
				.default(60_000, '60s')
				.argParser(duration),
		)
		.addOption(
			env('--heartbeat-timeout <time>', 'replace a worker whose event loop is blocked for so long', 'HEARTBEAT_TIMEOUT')
				.default(30_000, '30s')
				.argParser(duration),
		)
		.addOption(env('--grace <time>', 'how long a worker has to shut down', 'GRACE').default(10_000, '10s').argParser(duration))
		.addOption(
			env('--max-memory <size>', 'replace a worker above this resident memory, such as 512MB', 'MAX_MEMORY').argParser(size),
		)
		.addOption(
			env(
				'--log-format <format>',
				'pretty for people, json for programs (default: by whether this is a terminal)',
				'LOG_FORMAT',
			).choices(['pretty', 'json']),
		)
		.addHelpText(
			'after',
			`
Examples:
  $ shardctl start bot.js --simulate              20 simulated guilds, no token
  $ shardctl start bot.js                         as many shards as Discord recommends
  $ shardctl start bot.js --shards 8 --shards-per-worker 4
  $ shardctl start bot.js -- --verbose            --verbose goes to the bot

Every option can also be set in the environment, as shown behind it; the option wins.`,
		)
		.action(async (file: string, args: string[], options: StartOptions) => {
			const { runFleet } = await import('../start/run-fleet.js');
			process.exitCode = await runFleet(file, args, options);
		});
}

/** An option with its twin in the environment. */
function env(flags: string, description: string, variable: string): Option {
	return new Option(flags, description).env(`SHARDCTL_${variable}`);
}
