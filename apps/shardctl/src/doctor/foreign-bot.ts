// Checks a bot that is not for Node.js: what runs it, and for Python its library, as our sitecustomize finds it, and the syntax of the file.
// Nothing of the bot is run.
import { spawnSync } from 'node:child_process';
import { ShardctlError } from '@shardctl/core';
import { absoluteBotFile, type ForeignProgram, foreignProgram, programFile, pythonFolder } from '@shardctl/manager';
import { type Finding, fail, ok, skip, warn } from './finding.js';

/** How long Python may take to import its library. */
const pythonTimeoutMs = 20_000;

/** Prints what Python says about the file and the libraries. The library is adjusted as in a worker, which fails for an unknown version. */
const script = `
import importlib.util, json, sys
found = {"python": sys.version.split()[0], "hooked": any(type(f).__module__ == "sitecustomize" or type(f).__name__ == "_Finder" for f in sys.meta_path), "libraries": [], "syntax": None}
for name in ("discord", "nextcord", "disnake"):
    if importlib.util.find_spec(name):
        module = __import__(name)
        found["libraries"].append([{"discord": "discord.py", "pycord": "py-cord"}.get(getattr(module, "__title__", name), name), module.__version__])
try:
    compile(open(sys.argv[1], "rb").read(), sys.argv[1], "exec")
except SyntaxError as error:
    found["syntax"] = "%s, line %s" % (error.msg, error.lineno)
print(json.dumps(found))
`;

interface PythonReport {
	python: string;
	hooked: boolean;
	libraries: [name: string, version: string][];
	syntax: string | null;
}

export interface ForeignBot {
	file: string;
	interpreter: string | undefined;
	cwd: string;
	env: Readonly<Record<string, string | undefined>>;
}

/** The findings about a bot that is not for Node.js; undefined for one that is. */
export function checkForeignBot(bot: ForeignBot): Finding[] | undefined {
	const program = foreignProgram(bot.file, bot);
	if (program === null) return undefined;
	if (program instanceof ShardctlError)
		return [fail('program', program.message, 'install it, or name another with --interpreter')];
	const path = program.interpreter === null ? programFile(bot.file, bot) : absoluteBotFile(bot.file, bot.cwd, { any: true });
	if (path instanceof ShardctlError) return [fail('file', path.message, 'name the file that starts the bot')];
	const what = program.interpreter === null ? 'a program of its own' : program.label;
	const findings = [ok('file', path), ok('program', `${what}, with gateway processes (--gateway resident)`)];
	if (!program.python || program.interpreter === null) {
		return [...findings, skip('library', 'not checked: the program connects to SHARDCTL_GATEWAY_URL by itself')];
	}
	return [...findings, ...pythonFindings(program as ForeignProgram & { interpreter: string }, path, bot)];
}

function pythonFindings(
	{ interpreter, interpreterArgs, label }: ForeignProgram & { interpreter: string },
	file: string,
	{ env, cwd }: ForeignBot,
): Finding[] {
	const { stdout, stderr, error } = spawnSync(interpreter, [...interpreterArgs, '-c', script, file], {
		cwd,
		encoding: 'utf8',
		timeout: pythonTimeoutMs,
		env: {
			...env,
			PYTHONPATH: env.PYTHONPATH ? `${pythonFolder}:${env.PYTHONPATH}` : pythonFolder,
			SHARDCTL_GATEWAY_URL: 'ws://127.0.0.1',
			SHARDCTL_API: 'http://127.0.0.1',
			SHARDS: '0',
			SHARD_COUNT: '1',
		},
	});
	const line = stdout?.trim().split('\n').at(-1) ?? '';
	if (error || !line.startsWith('{')) {
		const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? 'it printed nothing';
		return [fail('library', `${label} could not be asked: ${why}`, 'check --interpreter')];
	}
	const { python, hooked, libraries, syntax } = JSON.parse(line) as PythonReport;
	const [library] = libraries;
	const refused = stderr.split('\n').find((text) => text.startsWith('shardctl: cannot adjust'));
	const install = `${interpreter} -m pip install discord.py, or name the Python of the bot's virtual environment with --interpreter`;
	const findings: Finding[] = [];
	if (!hooked)
		findings.push(
			fail('library', `Python ${python} does not load sitecustomize from PYTHONPATH`, 'start it without -I, -E and -S'),
		);
	else if (refused !== undefined)
		findings.push(
			fail('library', refused.replace('shardctl: ', ''), 'use a version that is supported, or connect to SHARDCTL_GATEWAY_URL'),
		);
	else if (!library) findings.push(warn('library', `no Discord library found for Python ${python}`, install));
	else findings.push(ok('library', `${libraries.map(([name, version]) => `${name} ${version}`).join(', ')} on Python ${python}`));
	if (syntax !== null) findings.push(fail('import', `syntax error: ${syntax}`, 'correct the file'));
	return findings;
}
