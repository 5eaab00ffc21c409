// Runs a command: parses, reports errors, and sets the exit status.
import { ShardctlError } from '@shardctl/core';
import { CommanderError } from 'commander';
import { exitCodeOf, exitCodes } from './exit-codes.js';
import { unsetFlags } from './option.js';
import { buildProgram } from './program.js';

/** Runs the command that the process was started with. */
export async function main(): Promise<void> {
	process.stderr.on('error', () => {});
	const program = buildProgram(process.argv[2]);
	const options = program.commands.flatMap((command) => command.options);
	for (const variable of unsetFlags(options, process.env)) delete process.env[variable];
	try {
		await program.parseAsync();
	} catch (error) {
		process.exitCode = report(error);
	}
}

/** Prints the error; returns the exit status. */
function report(error: unknown): number {
	if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.wrongUsage;
	if (ShardctlError.is(error)) process.stderr.write(`error: ${error.message}\n`);
	else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
	return exitCodeOf(error);
}
