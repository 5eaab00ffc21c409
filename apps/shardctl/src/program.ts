// The tree of commands: what the command line runs, what help shows, and what shell completion is generated from.
import { createRequire } from 'node:module';
import { Command } from 'commander';
import { completionCommand } from './commands/completion.js';
import { dashboardCommand } from './commands/dashboard.js';
import { deployCommand } from './commands/deploy.js';
import { doctorCommand } from './commands/doctor.js';
import { drainCommand } from './commands/drain.js';
import { evalCommand } from './commands/eval.js';
import { eventsCommand } from './commands/events.js';
import { fetchCommand } from './commands/fetch.js';
import { healthCommand } from './commands/health.js';
import { initCommand } from './commands/init.js';
import { listCommand } from './commands/list.js';
import { logsCommand } from './commands/logs.js';
import { metricsCommand } from './commands/metrics.js';
import { moveCommand } from './commands/move.js';
import { nodesCommand } from './commands/nodes.js';
import { queueCommand } from './commands/queue.js';
import { rebalanceCommand } from './commands/rebalance.js';
import { reshardCommand } from './commands/reshard.js';
import { respawnCommand } from './commands/respawn.js';
import { restartCommand } from './commands/restart.js';
import { scaleCommand } from './commands/scale.js';
import { simulateCommand } from './commands/simulate.js';
import { startCommand } from './commands/start.js';
import { statsCommand } from './commands/stats.js';
import { stopCommand } from './commands/stop.js';
import { whereCommand } from './commands/where.js';

export const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/** The width of help where the terminal does not know its own. */
const helpColumns = 80;

/** In the order of help. When a command was named, only that one is built. */
const commands: Readonly<Record<string, () => Command>> = {
	start: startCommand,
	stats: statsCommand,
	dashboard: dashboardCommand,
	health: healthCommand,
	metrics: metricsCommand,
	list: listCommand,
	logs: logsCommand,
	events: eventsCommand,
	stop: stopCommand,
	restart: restartCommand,
	deploy: deployCommand,
	scale: scaleCommand,
	queue: queueCommand,
	reshard: reshardCommand,
	respawn: respawnCommand,
	eval: evalCommand,
	fetch: fetchCommand,
	where: whereCommand,
	nodes: nodesCommand,
	drain: drainCommand,
	move: moveCommand,
	rebalance: rebalanceCommand,
	doctor: doctorCommand,
	init: initCommand,
	simulate: simulateCommand,
	completion: () => completionCommand(buildProgram),
};

/** Builds the whole tree, or only what the command `only` needs. The code of a command is loaded when it runs. */
export function buildProgram(only?: string): Command {
	const program = new Command('shardctl')
		.description('Runs any Discord bot as a supervised fleet of shards.')
		.version(version, '-V, --version', 'print the version')
		.helpOption('-h, --help', 'print this help')
		.helpCommand('help [command]', 'Prints the help of a command.')
		.showHelpAfterError('Run with --help for usage.')
		// The environment variable of every option follows from its name, so help states the rule once.
		.configureHelp({
			// Every command has options; only arguments distinguish the commands.
			subcommandTerm: (command) =>
				`${[command.name(), ...command.aliases()].join('|')} ${command.usage().replace(/^\[options\] ?/, '')}`.trimEnd(),
			optionDescription: ({ description, argChoices, defaultValueDescription, defaultValue }) => {
				const values = argChoices ? ` (${argChoices.join(', ')})` : '';
				const fallback = defaultValueDescription ?? (defaultValue === undefined ? undefined : JSON.stringify(defaultValue));
				return `${description}${values}${fallback === undefined ? '' : ` (default: ${fallback})`}`;
			},
		})
		.configureOutput({
			getOutHelpWidth: () => process.stdout.columns || helpColumns,
			getErrHelpWidth: () => process.stderr.columns || helpColumns,
		})
		.addHelpText(
			'after',
			`
Every option can also be set in the environment: --ready-timeout is
SHARDCTL_READY_TIMEOUT.

Examples:
  $ shardctl start bot.js --simulate        try it on a local Discord simulator
  $ DISCORD_TOKEN=… shardctl start bot.js   as many shards as Discord recommends
  $ shardctl stats --watch                  in another terminal`,
		);
	const wanted = only !== undefined && Object.hasOwn(commands, only) ? [only] : Object.keys(commands);
	for (const name of wanted) program.addCommand((commands[name] as () => Command)().copyInheritedSettings(program));
	for (const command of program.commands) for (const nested of command.commands) nested.copyInheritedSettings(command);
	for (const command of [program, ...program.commands.flatMap((one) => [one, ...one.commands])]) command.exitOverride();
	return program;
}
