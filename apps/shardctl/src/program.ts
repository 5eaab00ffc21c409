// The tree of commands: what the command line runs, help shows and shell completion is made from.
import { createRequire } from 'node:module';
import { Command } from 'commander';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

type Loader = () => Promise<Command>;

/** In the order of help. A command that was named is the only one loaded: reading files is most of what a short command costs. */
const loaders: Readonly<Record<string, Loader>> = {
	start: async () => (await import('./commands/start.js')).startCommand(),
	stats: async () => (await import('./commands/stats.js')).statsCommand(),
	list: async () => (await import('./commands/list.js')).listCommand(),
	logs: async () => (await import('./commands/logs.js')).logsCommand(),
	events: async () => (await import('./commands/events.js')).eventsCommand(),
	stop: async () => (await import('./commands/stop.js')).stopCommand(),
	restart: async () => (await import('./commands/restart.js')).restartCommand(),
	deploy: async () => (await import('./commands/deploy.js')).deployCommand(),
	respawn: async () => (await import('./commands/respawn.js')).respawnCommand(),
	eval: async () => (await import('./commands/eval.js')).evalCommand(),
	fetch: async () => (await import('./commands/fetch.js')).fetchCommand(),
	where: async () => (await import('./commands/where.js')).whereCommand(),
	doctor: async () => (await import('./commands/doctor.js')).doctorCommand(),
	init: async () => (await import('./commands/init.js')).initCommand(),
	simulate: async () => (await import('./commands/simulate.js')).simulateCommand(),
	completion: async () => (await import('./commands/completion.js')).completionCommand(),
};

/** Builds the whole tree, or as much of it as running the command `only` needs. What a command does is loaded when it runs. */
export async function buildProgram(only?: string): Promise<Command> {
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
	const wanted = only !== undefined && Object.hasOwn(loaders, only) ? [only] : Object.keys(loaders);
	const commands = await Promise.all(wanted.map((name) => (loaders[name] as Loader)()));
	for (const command of commands) program.addCommand(command.copyInheritedSettings(program));
	for (const command of [program, ...program.commands]) command.exitOverride();
	return program;
}
