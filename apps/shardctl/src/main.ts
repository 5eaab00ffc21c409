// Runs a command: parses, reports errors, and sets the exit status.
import { closeSync, openSync } from 'node:fs';
import { messageOf, ShardctlError } from '@shardctl/core';
import { CommanderError } from 'commander';
import { exitCodeOf, exitCodes } from './exit-codes.js';
import { unsetFlags } from './option.js';
import { buildProgram, version } from './program.js';
import { printErr } from './terminal/print.js';

/** Runs the command that the process was started with. */
export async function main(): Promise<void> {
	const program = buildProgram(process.argv[2]);
	const options = program.commands.flatMap((command) => command.options);
	for (const variable of unsetFlags(options, process.env)) delete process.env[variable];
	try {
		await program.parseAsync();
	} catch (error) {
		process.exitCode = await report(error);
	}
}

/** Prints the error; returns the exit status. */
async function report(error: unknown): Promise<number> {
	if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.fine : exitCodes.wrongUsage;
	if (isForWantOfFiles(error)) {
		printErr('error: too many open files; raise the limit: ulimit -n 4096, or LimitNOFILE= in the systemd unit\n');
		return exitCodeOf(error);
	}
	const skew = ShardctlError.is(error) ? undefined : await otherVersion(error);
	if (ShardctlError.is(error)) printErr(`error: ${error.message}\n`);
	else if (skew !== undefined) printErr(`error: ${skew}\n`);
	else printErr(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
	return exitCodeOf(error);
}

/** Whether no file could be opened. Node's module loader may say then that a package does not exist. */
function isForWantOfFiles(error: unknown): boolean {
	const isLimit = (thrown: unknown) => /^E[MN]FILE$/.test(String((thrown as NodeJS.ErrnoException | null)?.code));
	if (isLimit(error)) return true;
	try {
		closeSync(openSync(process.execPath, 'r'));
		return false;
	} catch (thrown) {
		return isLimit(thrown);
	}
}

/** The sentence for an error that two versions which do not fit together are the likely cause of. */
async function otherVersion(error: unknown): Promise<string | undefined> {
	// Loaded already where a manager was asked, and not worth its time before.
	const { managerVersion } = await import('@shardctl/control');
	const theirs = managerVersion();
	if (theirs === undefined || theirs === version) return undefined;
	return (
		`this command is of shardctl ${version} and the manager of shardctl ${theirs}, and they do not fit together here: ` +
		`${messageOf(error)}; use the command of the manager's version`
	);
}
