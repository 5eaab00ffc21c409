// Completion scripts for bash, zsh and fish, generated from the tree of commands. Pure.
import type { Argument, Command, Option } from 'commander';

export type Shell = 'bash' | 'zsh' | 'fish';

/** The value that an option or an argument takes. */
type Value =
	| { kind: 'none' }
	| { kind: 'choices'; choices: readonly string[] }
	| { kind: 'files' }
	| { kind: 'managers' }
	| { kind: 'text' };

interface CompletedOption {
	flags: string[];
	description: string;
	value: Value;
}

interface CompletedCommand {
	names: string[];
	description: string;
	options: CompletedOption[];
	argument: Value;
}

/** The script for a shell; sourcing it defines the completion of `shardctl`. */
export function completionScript(shell: Shell, program: Command): string {
	const commands = program.commands.map(completedCommand);
	if (shell === 'bash') return bashScript(commands);
	return shell === 'zsh' ? zshScript(commands) : fishScript(commands);
}

function completedCommand(command: Command): CompletedCommand {
	const help: CompletedOption = { flags: ['-h', '--help'], description: 'print this help', value: { kind: 'none' } };
	return {
		names: [command.name(), ...command.aliases()],
		description: command.summary() || command.description(),
		options: [...command.options.map(completedOption), help],
		argument: argumentValue(command.registeredArguments[0]),
	};
}

function completedOption({ short, long, description, argChoices, required, optional }: Option): CompletedOption {
	const flags = [short, long].filter((flag) => flag !== undefined);
	return { flags, description, value: required || optional ? optionValue(long ?? '', argChoices) : { kind: 'none' } };
}

function optionValue(long: string, choices: readonly string[] | undefined): Value {
	if (choices) return { kind: 'choices', choices };
	if (long === '--name') return { kind: 'managers' };
	return /file|dir|config/.test(long) ? { kind: 'files' } : { kind: 'text' };
}

function argumentValue(argument: Argument | undefined): Value {
	if (!argument) return { kind: 'none' };
	if (argument.argChoices) return { kind: 'choices', choices: argument.argChoices };
	return argument.name() === 'file' ? { kind: 'files' } : { kind: 'text' };
}

const managerNames = 'shardctl list --quiet 2>/dev/null';

function bashScript(commands: readonly CompletedCommand[]): string {
	const words = (value: Value) => {
		if (value.kind === 'choices') return `COMPREPLY=($(compgen -W '${value.choices.join(' ')}' -- "$cur"))`;
		if (value.kind === 'managers') return `COMPREPLY=($(compgen -W "$(${managerNames})" -- "$cur"))`;
		return value.kind === 'files' ? 'compopt -o default' : ':';
	};
	const cases = commands.map(({ names, options, argument }) => {
		const valued = options.filter(({ value }) => value.kind !== 'none');
		const values = valued.map(({ flags, value }) => `\t\t\t\t${flags.join('|')}) ${words(value)}; return ;;`);
		const flags = options.flatMap((each) => each.flags).join(' ');
		return [
			`\t\t${names.join('|')})`,
			...(values.length > 0 ? ['\t\t\tcase "$prev" in', ...values, '\t\t\tesac'] : []),
			`\t\t\tif [[ "$cur" == -* ]]; then COMPREPLY=($(compgen -W '${flags}' -- "$cur")); else ${words(argument)}; fi`,
			'\t\t\t;;',
		].join('\n');
	});
	const names = commands.flatMap((command) => command.names).join(' ');
	return `# shardctl completion for bash
_shardctl() {
	local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}"
	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		COMPREPLY=($(compgen -W '${names} help --help --version' -- "$cur"))
		return
	fi
	case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
	esac
}
complete -F _shardctl shardctl
`;
}

function zshScript(commands: readonly CompletedCommand[]): string {
	const action = (value: Value) => {
		if (value.kind === 'choices') return `(${value.choices.join(' ')})`;
		if (value.kind === 'managers') return '_shardctl_managers';
		return value.kind === 'files' ? '_files' : ' ';
	};
	const spec = ({ flags, description, value }: CompletedOption) => {
		const tail = `[${zshText(description)}]${value.kind === 'none' ? '' : `:value:${action(value)}`}`;
		return flags.length === 1 ? zshQuoted(`${flags[0]}${tail}`) : `'(${flags.join(' ')})'{${flags.join(',')}}${zshQuoted(tail)}`;
	};
	const cases = commands.map(({ names, options, argument }) => {
		const specs = options.map(spec);
		if (argument.kind !== 'none') specs.push(zshQuoted(`1:argument:${action(argument)}`));
		return `\t\t${names.join('|')}) _arguments ${specs.join(' ')} ;;`;
	});
	const described = commands.flatMap(({ names, description }) =>
		names.map((name) => zshQuoted(`${name}:${zshText(description)}`)),
	);
	return `#compdef shardctl
# shardctl completion for zsh
_shardctl_managers() {
	local -a managers=(\${(f)"$(${managerNames})"})
	compadd -a managers
}
_shardctl() {
	local -a commands=(${described.join(' ')})
	if (( CURRENT == 2 )); then
		_describe command commands
		return
	fi
	local command="\${words[2]}"
	shift words
	(( CURRENT-- ))
	case "$command" in
${cases.join('\n')}
	esac
}
compdef _shardctl shardctl
`;
}

/** Brackets and colons are special to _arguments. */
function zshText(text: string): string {
	return text.replace(/[[\]:\\]/g, '\\$&');
}

function zshQuoted(text: string): string {
	return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishScript(commands: readonly CompletedCommand[]): string {
	const lines = ['# shardctl completion for fish', 'complete -c shardctl -f'];
	for (const { names, description, options, argument } of commands) {
		for (const name of names)
			lines.push(`complete -c shardctl -n __fish_use_subcommand -a ${name} -d ${fishQuoted(description)}`);
		const when = `-n '__fish_seen_subcommand_from ${names.join(' ')}'`;
		for (const option of options) {
			const flags = option.flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ');
			lines.push(`complete -c shardctl ${when} ${flags} ${fishValue(option.value)}-d ${fishQuoted(option.description)}`);
		}
		if (argument.kind === 'choices') lines.push(`complete -c shardctl ${when} -a '${argument.choices.join(' ')}'`);
		if (argument.kind === 'files') lines.push(`complete -c shardctl ${when} -F`);
	}
	return `${lines.join('\n')}\n`;
}

function fishValue(value: Value): string {
	switch (value.kind) {
		case 'none':
			return '';
		case 'choices':
			return `-x -a '${value.choices.join(' ')}' `;
		case 'managers':
			return `-x -a '(${managerNames})' `;
		case 'files':
			return '-r -F ';
		case 'text':
			return '-x ';
	}
}

function fishQuoted(text: string): string {
	return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
