// Runs the bot file in a separate process in which no library can log in, and reports how far it gets. That process has no token and no
// network, starts no other, leads a group of its own, and has ended when the answer is there.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fileExtensionAdvice, threadAdvice } from '@shardctl/manager';
import { type Login, readReport } from './bot-report.js';
import { type Finding, fail, ok, warn } from './finding.js';

const noLogin = new URL('./no-login.js', import.meta.url).href;
const inThreads = fileURLToPath(new URL('./in-threads.js', import.meta.url));
const timeLimitMs = 20_000;
/** A bot that waits for the network, which is closed, does not get further. */
const networkLimitMs = 3000;
/** What a process wrote before its exit arrives within this time, unless another process holds the pipe open. */
const drainMs = 500;
const keptChars = 4000;

/** What discord.js, and discord-hybrid-sharding, find in the environment of a worker with the only shard. */
const oneShard = {
	SHARDING_MANAGER: 'true',
	SHARDING_MANAGER_MODE: 'process',
	SHARDS: '0',
	SHARD_COUNT: '1',
	CLUSTER_MANAGER_MODE: 'process',
	CLUSTER: '0',
	CLUSTER_COUNT: '1',
	CLUSTER_QUEUE_MODE: 'auto',
	SHARD_LIST: '0',
	TOTAL_SHARDS: '1',
};

/** What was learned about the bot. */
export interface ImportedBot {
	/** The intents that its client requests, as bits; undefined if the library does not expose them. */
	intents: number | undefined;
}

interface ImportOptions {
	args: readonly string[];
	execArgv: readonly string[];
	/** Whether its workers are threads. */
	threads?: boolean;
	limitMs?: number;
}

export async function checkImport(
	botFile: string,
	{ args, execArgv, threads = false, limitMs = timeLimitMs }: ImportOptions,
): Promise<{ finding: Finding; bot: ImportedBot | undefined }> {
	const [program, flags] = threads ? [inThreads, execArgv] : [botFile, ['--import', noLogin, ...execArgv]];
	const child = fork(program, [...args], {
		execArgv: [...flags],
		env: { ...withoutTokens(process.env), ...oneShard, SHARDCTL_DOCTOR_BOT: botFile },
		// Its standard input stays open and silent, as in a fleet.
		stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
		// A group of its own, so that it can be ended with whatever a native module starts in it.
		detached: process.platform !== 'win32',
	});
	const stopGuarding = endWithDoctor(child);
	try {
		const outcome = await outcomeOf(child, limitMs);
		return { finding: findingOf(outcome, { threads, limitMs }), bot: outcome.login && { intents: outcome.login.intents } };
	} finally {
		await end(child);
		stopGuarding();
	}
}

interface Outcome {
	/** Undefined while it has not ended by itself. */
	exitCode: number | undefined;
	login: Login | undefined;
	connects: string | undefined;
	starts: string | undefined;
	stderr: string;
}

/** Resolves when it logs in, when it ends, or when it takes too long. */
function outcomeOf(child: ChildProcess, limitMs: number): Promise<Outcome> {
	const outcome: Outcome = { exitCode: undefined, login: undefined, connects: undefined, starts: undefined, stderr: '' };
	return new Promise((resolve) => {
		const settle = () => {
			clearTimeout(timer);
			resolve(outcome);
		};
		let timer = setTimeout(settle, limitMs);
		for (const stream of [child.stdin, child.stderr]) stream?.on('error', () => {});
		child.stderr?.setEncoding('utf8').on('data', (text: string) => {
			outcome.stderr = (outcome.stderr + text).slice(-keptChars);
		});
		child.on('message', (received) => {
			const message = readReport(received);
			if (!message) return;
			if ('starts' in message) outcome.starts ??= message.starts;
			else if ('connects' in message) {
				if (outcome.connects !== undefined) return;
				outcome.connects = message.connects;
				clearTimeout(timer);
				timer = setTimeout(settle, Math.min(networkLimitMs, limitMs));
			} else {
				outcome.login = message;
				settle();
			}
		});
		child.once('exit', (code) => {
			outcome.exitCode = code ?? 1;
			clearTimeout(timer);
			timer = setTimeout(settle, drainMs);
			child.once('close', settle);
		});
		child.on('error', () => {
			outcome.exitCode = 1;
			settle();
		});
	});
}

function findingOf(
	{ exitCode, login, connects, starts, stderr }: Outcome,
	{ threads, limitMs }: { threads: boolean; limitMs: number },
): Finding {
	if (login) {
		return login.attached
			? ok('import', `loads and calls ${login.library} to log in${threads ? ', in several threads of a process' : ''}`)
			: fail(
					'import',
					`the bot's ${login.library} client connects without attach(), so it would run every shard in every worker`,
					"add one line before it connects: attach(client), with attach from 'shardctl/worker'",
				);
	}
	if (starts !== undefined) {
		return warn(
			'import',
			`starts another process before it logs in, which this check refuses: ${starts}`,
			'if that is what logs in, name its file instead, because each worker would start it: see MIGRATION.md',
		);
	}
	if (connects !== undefined && /(?:^|\.)discord(?:app)?\.(?:com|gg):/.test(connects)) {
		return warn(
			'import',
			`connects to ${connects} by itself, and not with a client that shardctl sees`,
			'is the library bundled? Leave it out of the bundle, or call attach(client) from shardctl/worker before it connects. Does the file ' +
				'start the bot in a thread? Name the file of the bot',
		);
	}
	if (connects !== undefined) {
		return warn(
			'import',
			`connects to ${connects} before it logs in, and the network is closed during this check`,
			'nothing to do if that is a database or a service of yours; "shardctl start --simulate" tries the bot with the network',
		);
	}
	if (exitCode === undefined) {
		return warn('import', `runs, but did not log in within ${limitMs / 1000} s`, neverLogsIn);
	}
	if (exitCode === 0) return warn('import', 'exits without logging in', neverLogsIn);
	const lines = stderr.trim().split('\n');
	const advice = fileExtensionAdvice(lines);
	if (advice) return fail('import', advice.problem, advice.remedy);
	const forThreads = threads ? threadAdvice(lines) : undefined;
	if (forThreads !== undefined) return fail('import', `fails in a thread: ${errorLine(lines)}`, forThreads);
	return fail('import', `exits with code ${exitCode}: ${errorLine(lines)}`, 'run the file with "node" to see the whole error');
}

const neverLogsIn =
	'is this the file that calls client.login(), or attach() and connect() of another library, and does it get there?';

function errorLine(lines: readonly string[]): string {
	return lines.find((line) => /^\w*Error\b.*:/.test(line)) ?? lines.at(-1) ?? '';
}

/** A bot may insist on a token, so each has a value, which Discord would reject. */
function withoutTokens(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
	const cleared = Object.entries(env).map(([name, value]) => [name, /token/i.test(name) ? 'doctor' : value] as const);
	return { ...Object.fromEntries(cleared), DISCORD_TOKEN: 'doctor' };
}

/** Kills its group, and resolves when it has exited. */
async function end(child: ChildProcess): Promise<void> {
	const exited = child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
	const exit = exited ? undefined : new Promise((resolve) => child.once('exit', resolve));
	killGroup(child);
	await exit;
	child.stdin?.destroy();
	child.stderr?.destroy();
	if (child.connected) child.disconnect();
}

function killGroup({ pid }: ChildProcess): void {
	if (pid === undefined) return;
	try {
		process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
	} catch {
		// Nothing of it is left.
	}
}

/** Ctrl-C reaches the doctor and not the other group. */
function endWithDoctor(child: ChildProcess): () => void {
	const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
	const onSignal = (signal: NodeJS.Signals) => {
		killGroup(child);
		stop();
		process.kill(process.pid, signal);
	};
	const stop = () => {
		for (const signal of signals) process.off(signal, onSignal);
	};
	for (const signal of signals) process.on(signal, onSignal);
	return stop;
}
