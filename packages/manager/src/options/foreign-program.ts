// What runs a bot file that is not Node's: the interpreter of its extension, the one that was named, or the file itself as a program.
// Workers of this kind have no message channel; see foreign-source.ts.
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { ShardctlError } from '@shardctl/core';

/** How the workers of a bot are started that is not a module for Node.js. */
export interface ForeignProgram {
	/** Absolute path of the interpreter; null where the bot file is the program itself. */
	interpreter: string | null;
	/** Arguments of the interpreter, before the bot file. */
	interpreterArgs: readonly string[];
	/** For people: `python3 (/usr/bin/python3)`, `./my-bot`. */
	label: string;
	/** Whether the interpreter is Python. */
	python: boolean;
}

/** The value of `interpreter` with which the file is a program of its own. */
export const noInterpreter = 'none';

/** Interpreters of files that have no other use than to be run by one. */
const byExtension: Readonly<Record<string, string>> = { '.py': 'python3', '.pyw': 'python3' };

/** Languages whose files cannot be run without saying how. */
const unknownLanguages = /\.(?:rb|go|rs|java|jar|cs|php|lua|ex|exs|kt|dart|pl|sh|cpp|c)$/;

/** Where a virtual environment of a Python project usually is. */
const virtualEnvironments = ['.venv', 'venv', 'env'];

export interface ProgramSearch {
	interpreter: string | undefined;
	cwd: string;
	/** Of the workers: its PATH is searched. */
	env: Readonly<Record<string, string | undefined>>;
}

/** The program for a bot file; null where it is a module for Node.js; or the `BOT_FILE_INVALID` error that says why there is none. */
export function foreignProgram(file: string, { interpreter, cwd, env }: ProgramSearch): ForeignProgram | null | ShardctlError {
	if (interpreter === noInterpreter) return { interpreter: null, interpreterArgs: [], label: file, python: isPython(file) };
	const extension = extname(file).toLowerCase();
	const byDefault = byExtension[extension];
	if (interpreter === undefined && byDefault === undefined) {
		return unknownLanguages.test(extension)
			? new ShardctlError(
					'BOT_FILE_INVALID',
					`${file} is no JavaScript, TypeScript or Python: name what runs it, as in --interpreter ruby, or start the program itself with --exec -- COMMAND`,
				)
			: null;
	}
	const [command = '', ...args] = interpreter === undefined ? [byDefault as string] : words(interpreter, cwd);
	if (interpreter !== undefined && isNode(command)) return null;
	const own = interpreter === undefined && env.VIRTUAL_ENV === undefined ? virtualEnvironment(file, cwd) : undefined;
	const path = own ?? executable(command, { cwd, env });
	if (path === undefined) {
		return new ShardctlError(
			'BOT_FILE_INVALID',
			`${command === '' ? 'an empty interpreter' : `"${command}"`} cannot run ${basename(file)}: no such program ${command.includes('/') ? 'is there' : 'is in the PATH'}. Install it, or name another with --interpreter`,
		);
	}
	const python = isPython(command);
	const isolating = python ? args.find(ignoresEnvironment) : undefined;
	if (isolating !== undefined) {
		return new ShardctlError(
			'BOT_FILE_INVALID',
			`"${interpreter}" cannot run ${basename(file)} under shardctl: with ${isolating} Python ignores PYTHONPATH or sitecustomize, by which its ` +
				'library finds the local gateway. Leave that option out, or let the program connect to SHARDCTL_GATEWAY_URL itself (--exec)',
		);
	}
	const shown = [command, ...args].join(' ');
	return { interpreter: path, interpreterArgs: args, label: shown === path ? path : `${shown} (${path})`, python };
}

/** The program that `--exec` names, as a path; or why it cannot be run. */
export function programFile(file: string, { cwd, env }: Omit<ProgramSearch, 'interpreter'>): string | ShardctlError {
	const path = file === '' ? undefined : executable(file, { cwd, env });
	if (path !== undefined) return path;
	if (file === '') return new ShardctlError('BOT_FILE_INVALID', 'no program was named: shardctl start --exec -- COMMAND …');
	const here = resolve(cwd, file);
	const why = !existsSync(here)
		? file.includes('/')
			? 'does not exist: check the path'
			: 'is not in the PATH: install it, or give its path'
		: statSync(here).isDirectory()
			? 'is a directory: name the program itself'
			: file.includes('/')
				? 'is not executable: chmod +x it, or name what runs it with --interpreter'
				: `is not in the PATH: give its path, ./${file}`;
	return new ShardctlError('BOT_FILE_INVALID', `the program ${file} ${why}`);
}

function executable(command: string, { cwd, env }: Omit<ProgramSearch, 'interpreter'>): string | undefined {
	const folders = command.includes('/') || isAbsolute(command) ? [cwd] : (env.PATH ?? '').split(delimiter);
	const endings = process.platform === 'win32' ? ['', '.exe', '.cmd', '.bat'] : [''];
	return folders.flatMap((folder) => endings.map((ending) => resolve(cwd, folder, command + ending))).find(isExecutable);
}

function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return statSync(path).isFile();
	} catch {
		return false;
	}
}

/** Python of the virtual environment beside the bot file or in the working folder. */
function virtualEnvironment(file: string, cwd: string): string | undefined {
	const folders = [...new Set([dirname(resolve(cwd, file)), cwd])];
	const place = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
	return folders
		.flatMap((folder) => virtualEnvironments.map((name) => join(folder, name)))
		.filter((folder) => existsSync(join(folder, 'pyvenv.cfg')))
		.map((folder) => join(folder, ...place))
		.find(isExecutable);
}

/** A command line in words, with quotes as in a shell; the path of a program may have spaces. */
function words(text: string, cwd: string): string[] {
	if (isExecutable(resolve(cwd, text))) return [text];
	return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare ?? '');
}

function isNode(command: string): boolean {
	return basename(command).replace(/\.exe$/i, '') === 'node';
}

function isPython(command: string): boolean {
	return /^(?:python|pypy)[\d.]*(?:\.exe)?$/i.test(basename(command));
}

/** `-I`, `-E`, `-S`, also among other letters. Python: Command line and environment. */
function ignoresEnvironment(argument: string): boolean {
	return /^-[a-zA-Z]*[IES]/.test(argument) && !/^-[XWmc]/.test(argument);
}
