// The tree of commands: what the command line runs, help shows and shell completion is made from.
import { createRequire } from 'node:module';
import { Command } from 'commander';
import { completionCommand } from './commands/completion.js';
import { doctorCommand } from './commands/doctor.js';
import { evalCommand } from './commands/eval.js';
import { eventsCommand } from './commands/events.js';
import { fetchCommand } from './commands/fetch.js';
import { initCommand } from './commands/init.js';
import { listCommand } from './commands/list.js';
import { logsCommand } from './commands/logs.js';
import { respawnCommand } from './commands/respawn.js';
import { restartCommand } from './commands/restart.js';
import { simulateCommand } from './commands/simulate.js';
import { startCommand } from './commands/start.js';
import { statsCommand } from './commands/stats.js';
import { stopCommand } from './commands/stop.js';
import { whereCommand } from './commands/where.js';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** Builds the whole tree. What a command does is loaded only when it runs. */
export function buildProgram(): Command {
	const program = new Command('shardctl')
		.description('Runs any Discord bot as a supervised fleet of shards.')
		.version(version)
		.showHelpAfterError('Run with --help for usage.')
		// The twin of every option follows from its name, so it is told once instead of behind each.
		.configureHelp({
			optionDescription: ({ description, argChoices, defaultValueDescription, defaultValue }) => {
				const values = argChoices ? ` (${argChoices.join(', ')})` : '';
				const fallback = defaultValueDescription ?? (defaultValue === undefined ? undefined : JSON.stringify(defaultValue));
				return `${description}${values}${fallback === undefined ? '' : ` (default: ${fallback})`}`;
			},
		})
		.addHelpText(
			'after',
			`
Every option has a twin in the environment: --ready-timeout is
SHARDCTL_READY_TIMEOUT.

Examples:
  $ shardctl start bot.js --simulate        try it on a Discord of your own
  $ DISCORD_TOKEN=… shardctl start bot.js   as many shards as Discord recommends
  $ shardctl stats --watch                  in another terminal`,
		);
	const commands = [
		startCommand(),
		statsCommand(),
		listCommand(),
		logsCommand(),
		eventsCommand(),
		stopCommand(),
		restartCommand(),
		respawnCommand(),
		evalCommand(),
		fetchCommand(),
		whereCommand(),
		doctorCommand(),
		initCommand(),
		simulateCommand(),
		completionCommand(),
	];
	for (const command of commands) program.addCommand(command.copyInheritedSettings(program));
	for (const command of [program, ...program.commands]) command.exitOverride();
	return program;
}
