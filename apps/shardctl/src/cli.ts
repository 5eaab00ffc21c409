// The command line. Each command stands in a file of its own, and what a command does is loaded only when it runs.
import { createRequire } from 'node:module';
import { ShardctlError } from '@shardctl/core';
import { Command, CommanderError } from 'commander';
import { simulateCommand } from './commands/simulate.js';
import { startCommand } from './commands/start.js';
import { statsCommand } from './commands/stats.js';
import { stopCommand } from './commands/stop.js';
import { exitCodeOf, exitCodes } from './exit-codes.js';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

const program = new Command('shardctl')
	.description('Runs any Discord bot as a supervised fleet of shards.')
	.version(version)
	.showHelpAfterError('Run with --help for usage.')
	.addHelpText(
		'after',
		`
Examples:
  $ shardctl start bot.js --simulate           try it without a token, on a Discord of your own
  $ DISCORD_TOKEN=… shardctl start bot.js      as many shards as Discord recommends
  $ shardctl stats                             in another terminal`,
	);

for (const command of [startCommand(), statsCommand(), stopCommand(), simulateCommand()]) {
	program.addCommand(command.copyInheritedSettings(program));
}
for (const command of [program, ...program.commands]) command.exitOverride();

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
	process.exit(error.code === 'EPIPE' ? exitCodes.fine : exitCodes.failed),
);

try {
	await program.parseAsync();
} catch (error) {
	process.exitCode = report(error);
}

/** Says what went wrong, and answers the exit status. */
function report(error: unknown): number {
	if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.wrongUsage;
	if (ShardctlError.is(error)) console.error(`error: ${error.message}`);
	else console.error(error);
	return exitCodeOf(error);
}
