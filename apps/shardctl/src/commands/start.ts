// `shardctl start`: reads the options, runs a manager until it is stopped, and shows what happens.
import { Command } from 'commander';
import { startOptions } from '../start/start-options.js';

export function startCommand(): Command {
	const command = new Command('start')
		.summary('Runs a bot as a fleet of shards until stopped.')
		.description('Runs a bot as a fleet of shards until it is stopped.')
		.argument('[file]', 'the file that starts the bot (default: "file" in the config file)')
		.argument('[bot args...]', 'arguments for the bot, after --')
		.addHelpText(
			'after',
			`
Examples:
  $ shardctl start bot.js --simulate      20 simulated guilds, no token
  $ shardctl start bot.js                 as many shards as Discord recommends
  $ shardctl start bot.js --shards 8 --shards-per-worker 4
  $ shardctl start bot.js --detach --wait in the background; returns when ready
  $ shardctl start bot.js -- --verbose    --verbose goes to the bot
  $ shardctl start bot.py                 a bot on discord.py
  $ shardctl start --exec -- ./my-bot -v  any program, with its arguments

Every option can also be set in shardctl.config.{ts,js,json}, for example as
shardsPerWorker; "shardctl init" writes such a file. The command line takes
precedence over the environment, and the environment over the file.`,
		);
	for (const each of startOptions()) command.addOption(each);
	return command.action(async (file: string | undefined, args: string[]) => {
		const { start } = await import('../start/start.js');
		process.exitCode = await start({ file, args, given: givenOptions(command) });
	});
}

/** What was given on the command line or in the environment: a default must not override the config file. */
function givenOptions(command: Command): Record<string, unknown> {
	const values = Object.entries(command.opts<Record<string, unknown>>());
	return Object.fromEntries(values.filter(([key]) => ['cli', 'env'].includes(command.getOptionValueSource(key) ?? '')));
}
