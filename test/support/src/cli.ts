// Runs the command line as a user or a service manager does: as a process, with its own state folder, so that no test
// affects another's managers; and finds every process it leaves behind.
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { processesWithEnv } from './processes.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

const cli = fileURLToPath(new URL('../../../apps/shardctl/bin/shardctl.js', import.meta.url));
const mark = 'SHARDCTL_TEST_RUN';

export interface CliRun {
	readonly process: ChildProcess;
	readonly pid: number;
	/** All output so far. */
	stdout(): string;
	stderr(): string;
	/** The lines of standard output that are JSON objects. */
	json(): Record<string, unknown>[];
	/** Resolves with the first JSON line whose `msg` matches. */
	message(pattern: RegExp, timeoutMs?: number): Promise<Record<string, unknown>>;
	/** Resolves with the exit status, or the signal's name, once the process has ended and its output is read. */
	exit: Promise<number | NodeJS.Signals>;
}

export interface CliSandbox {
	/** The state folder that every run of this sandbox shares. */
	readonly stateDir: string;
	/** The command line's program, for Node. */
	readonly program: string;
	/** The environment of every run. */
	readonly environment: NodeJS.ProcessEnv;
	run(
		args: readonly string[],
		options?: { env?: Record<string, string>; cwd?: string; command?: readonly string[]; stdio?: StdioOptions },
	): CliRun;
	/** Runs to the end. */
	output(
		args: readonly string[],
		options?: { env?: Record<string, string>; cwd?: string },
	): Promise<{ code: number | NodeJS.Signals; stdout: string; stderr: string }>;
	/** Every running process of this sandbox, orphaned ones included. */
	survivors(): number[];
}

/** A sandbox for one test; its remaining processes are killed when the test finishes, or by `cleanUp`, such as afterAll. */
export function cliSandbox(cleanUp: (end: () => void) => void = onTestFinished): CliSandbox {
	const id = randomUUID();
	const stateDir = tempDir('shardctl-state-', cleanUp);
	cleanUp(() => {
		for (const pid of processesWithEnv(mark, id)) {
			try {
				process.kill(pid, 'SIGKILL');
			} catch {
				// It has exited since it was found.
			}
		}
	});
	const { DISCORD_TOKEN: _token, ...inherited } = process.env;
	const environment = { ...inherited, SHARDCTL_STATE_DIR: stateDir, [mark]: id, NO_COLOR: '1' };
	const sandbox: CliSandbox = {
		stateDir,
		program: cli,
		environment,
		survivors: () => processesWithEnv(mark, id),
		run(
			args,
			{
				env = {},
				cwd = process.cwd(),
				command = [process.execPath, cli],
				stdio = ['ignore', 'pipe', 'pipe'] as StdioOptions,
			} = {},
		) {
			const [program, ...prefix] = command as [string, ...string[]];
			const child = spawn(program, [...prefix, ...args], {
				cwd,
				env: { ...environment, ...env },
				stdio,
			});
			return watch(child, args);
		},
		async output(args, options) {
			const run = sandbox.run(args, options);
			return { code: await run.exit, stdout: run.stdout(), stderr: run.stderr() };
		},
	};
	return sandbox;
}

function watch(child: ChildProcess, args: readonly string[]): CliRun {
	let stdout = '';
	let stderr = '';
	child.stdout?.setEncoding('utf8').on('data', (text: string) => {
		stdout += text;
	});
	child.stderr?.setEncoding('utf8').on('data', (text: string) => {
		stderr += text;
	});
	let ended = false;
	const run: CliRun = {
		process: child,
		pid: child.pid as number,
		stdout: () => stdout,
		stderr: () => stderr,
		json: () =>
			stdout.split('\n').flatMap((line) => {
				try {
					return line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : [];
				} catch {
					return [];
				}
			}),
		message: (pattern, timeoutMs = 60_000) =>
			waitFor(
				`${pattern} from shardctl ${args.join(' ')}`,
				() => {
					const found = run.json().find(({ msg }) => pattern.test(String(msg)));
					if (!found && ended) throw new Error(`it ended instead; it said:\n${stdout}${stderr}`);
					return found;
				},
				{ timeoutMs },
			),
		exit: new Promise((resolve) => {
			child.once('close', (code, signal) => {
				ended = true;
				resolve(code ?? (signal as NodeJS.Signals));
			});
		}),
	};
	return run;
}
