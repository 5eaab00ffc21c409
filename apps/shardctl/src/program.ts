// The tree of commands: what the command line runs, help shows and shell completion is made from.
import { createRequire } from 'node:module';
import { Command } from 'commander';
import { completionCommand } from './commands/completion.js';
import { deployCommand } from './commands/deploy.js';
import { doctorCommand } from './commands/doctor.js';
import { evalCommand } from './commands/eval.js';
import { eventsCommand } from './commands/events.js';
import { fetchCommand } from './commands/fetch.js';
import { initCommand } from './commands/init.js';
import { listCommand } from './commands/list.js';
import { logsCommand } from './commands/logs.js';
import { metricsCommand } from './commands/metrics.js';
import { respawnCommand } from './commands/respawn.js';
import { restartCommand } from './commands/restart.js';
import { simulateCommand } from './commands/simulate.js';
import { startCommand } from './commands/start.js';
import { statsCommand } from './commands/stats.js';
import { stopCommand } from './commands/stop.js';
import { whereCommand } from './commands/where.js';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** In the order of help. A command that was named is the only one made. */
const commands: Readonly<Record<string, () => Command>> = {
	start: startCommand,
	stats: statsCommand,
	metrics: metricsCommand,
	list: listCommand,
	logs: logsCommand,
	events: eventsCommand,
	stop: stopCommand,
	restart: restartCommand,
	deploy: deployCommand,
	respawn: respawnCommand,
	eval: evalCommand,
	fetch: fetchCommand,
	where: whereCommand,
	doctor: doctorCommand,
	init: initCommand,
	simulate: simulateCommand,
	completion: () => completionCommand(buildProgram),
};

/** Builds the whole tree, or as much of it as running the command `only` needs. What a command does is loaded when it runs. */
export function buildProgram(only?: string): Command {
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
	const wanted = only !== undefined && Object.hasOwn(commands, only) ? [only] : Object.keys(commands);
	for (const name of wanted) program.addCommand((commands[name] as () => Command)().copyInheritedSettings(program));
	for (const command of [program, ...program.commands]) command.exitOverride();
	return program;
}
