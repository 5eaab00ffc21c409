// The reference of the command line as Markdown, generated from the tree of commands: the README's section is this text, and a test
// compares them.
import type { Command, Option } from 'commander';

/** One section for each command: its usage, what it does, its options with their environment variables. */
export function commandReference(program: Command): string {
	const all = program.commands.flatMap((command) => [command, ...command.commands]);
	return all.map(section).join('\n');
}

function section(command: Command): string {
	const name = fullName(command);
	const usage = ['shardctl', name, command.usage()].join(' ');
	const aliases = command.aliases().length > 0 ? ` Also \`${command.aliases().join('`, `')}\`.` : '';
	const parts = [`### ${name}`, '', `\`${usage}\``, '', `${command.description()}${aliases}`];
	const listed = command.registeredArguments.map(
		(argument) => `- \`${argument.name()}\`: ${argument.description || choices(argument.argChoices)}`,
	);
	if (listed.length > 0) parts.push('', ...listed);
	if (command.options.length > 0) parts.push('', '| option | environment | |', '|---|---|---|', ...command.options.map(row));
	return `${parts.join('\n')}\n`;
}

/** `stats`, `simulate say`. */
function fullName(command: Command): string {
	const above = command.parent;
	return above?.parent ? `${above.name()} ${command.name()}` : command.name();
}

function row({ flags, envVar, description, defaultValueDescription, argChoices }: Option): string {
	const fallback = defaultValueDescription === undefined ? '' : ` (default: ${defaultValueDescription})`;
	const values = argChoices ? ` (${choices(argChoices)})` : '';
	return `| \`${flags.replaceAll('|', '\\|')}\` | \`${envVar ?? ''}\` | ${description.replaceAll('|', '\\|')}${values}${fallback} |`;
}

function choices(values: readonly string[] | undefined): string {
	return values?.map((value) => `\`${value}\``).join(', ') ?? '';
}
