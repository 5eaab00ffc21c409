// Why a process ended: a pure judgement from what the system said, what we had done to it, and its last words.
import { type ExitReason, limitRemedy } from '@shardctl/core';
import { formatDuration } from './format-duration.js';
import { findPythonError } from './python-error.js';
import { findUncaughtError, type UncaughtError } from './uncaught-error.js';

/** Everything that is known about the end of one process. */
export interface ExitReport {
	reason: ExitReason;
	/** Exit code; null when a signal ended it or there was no process. */
	code: number | null;
	signal: NodeJS.Signals | null;
	epoch: number;
	pid: number | null;
	/** From the fork to the exit. */
	uptimeMs: number;
	wasReady: boolean;
	/** How long it had been ready; 0 when it never was. */
	readyForMs: number;
	/** Whether it had spent what its start costs, by its owner's word. */
	spent: boolean;
	/** The last lines of its standard error, oldest first. */
	stderrTail: string[];
	/** For a hung process: the JavaScript frames it was busy in, innermost first, where they could be had. */
	stack: string[];
	/** Milliseconds since the epoch. */
	at: number;
	/** One sentence for people. */
	message: string;
}

/** What {@link classifyExit} judges from. */
export interface ExitEvidence {
	code: number | null;
	signal: NodeJS.Signals | null;
	/** Why we were ending it, when we were. */
	verdict: ExitReason | null;
	/** More about the verdict, for the sentence. */
	verdictDetail: string | undefined;
	/** The error of a fork that never became a process. */
	spawnError: string | undefined;
	/** Why it ended, where its host knows more than the exit says. */
	exitDetail?: string | undefined;
	/** The kernel's out-of-memory killer struck among our processes. */
	kernelOutOfMemory: boolean;
	stderrTail: readonly string[];
	/** What ended (default: `process 4711`). */
	name?: string | undefined;
	pid: number | null;
	uptimeMs: number;
	wasReady: boolean;
	/** Whether it was a node process (default) and not another program. */
	isNode?: boolean;
}

/** Signals by which V8 and libc end a process that is out of memory or broken. */
const abortSignals: ReadonlySet<string> = new Set(['SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGSEGV', 'SIGBUS']);
/** Minified bots have very long lines. */
const longestSource = 120;
/** 128 + SIGABRT: what a shell, or node on some systems, makes of an abort. */
const abortCode = 134;
const heapLimit = /JavaScript heap out of memory|FATAL ERROR:.*(?:Allocation failed|out of memory)|Fatal process out of memory/;

/** A thread at its heap limit is ended alone, with this error. */
const threadHeapLimit = /\bERR_WORKER_OUT_OF_MEMORY\b/;

/** Node, at its very start, under a limit on the address space. */
const addressSpace = /^# ?Fatal process OOM in Failed to reserve virtual memory/;

/**
 * What node's own exit codes mean, where they say more than "it failed".
 * Node: Process, "Exit codes".
 */
const exitCodeMeanings: ReadonlyMap<number, string> = new Map([
	[7, 'its uncaughtException handler threw'],
	[9, 'node refused its command line'],
	[12, 'its inspector port is not valid'],
	[13, 'a top-level await never settled'],
]);

/** With which Python ends by an exception. Python: Command line and environment. */
const pythonErrorCode = 1;
/** Of shells, and of what a shell has started. POSIX: Shell Command Language, "Exit Status for Commands". */
const shellCodeMeanings: ReadonlyMap<number, string> = new Map([
	[126, 'a command could not be executed'],
	[127, 'a command was not found'],
]);

/** The reason, and the sentence that explains it. */
export function classifyExit(evidence: ExitEvidence): { reason: ExitReason; message: string } {
	const { reason, what } = judge(evidence);
	const remedy = limitRemedy(what);
	if (reason === 'spawn-failed')
		return { reason, message: `the process could not be started: ${what}${remedy === undefined ? '' : `; ${remedy}`}` };
	const ran = `${evidence.wasReady ? '' : 'before it was ready, '}after ${formatDuration(evidence.uptimeMs)}`;
	// A signal that the sentence names is not named again.
	const how = evidence.signal !== null && what.endsWith(evidence.signal) ? ran : `${ending(evidence)}, ${ran}`;
	return {
		reason,
		message: `${evidence.name ?? `process ${evidence.pid ?? '?'}`} ${what} (${how})${remedy === undefined ? '' : `; ${remedy}`}`,
	};
}

function judge({
	code,
	signal,
	verdict,
	verdictDetail,
	spawnError,
	exitDetail,
	kernelOutOfMemory,
	stderrTail,
	isNode = true,
}: ExitEvidence): {
	reason: ExitReason;
	what: string;
} {
	if (spawnError !== undefined) return { reason: 'spawn-failed', what: spawnError };
	if (verdict) return { reason: verdict, what: verdictDetail ?? verdictPhrases[verdict] };
	const aborted = code === abortCode || (signal !== null && abortSignals.has(signal));
	const reserved = aborted && stderrTail.find((line) => addressSpace.test(line));
	if (reserved) return { reason: 'out-of-memory', what: `could not run: ${reserved.replace(/^#\s*/, '')}` };
	if (aborted && stderrTail.some((line) => heapLimit.test(line))) {
		return { reason: 'out-of-memory', what: 'ran into its JavaScript heap limit' };
	}
	if (signal === 'SIGKILL' && kernelOutOfMemory) {
		return { reason: 'out-of-memory', what: "was killed by the kernel's out-of-memory killer" };
	}
	if (signal !== null) return { reason: 'signal', what: exitDetail ?? `was killed by ${signal}` };
	if (code === 0) return { reason: 'clean', what: 'ended by itself' };
	// A program that is not node may have started one.
	const uncaught =
		findUncaughtError(stderrTail) ?? (isNode || code !== pythonErrorCode ? undefined : findPythonError(stderrTail));
	if (uncaught && threadHeapLimit.test(uncaught.text)) {
		return { reason: 'out-of-memory', what: 'ran into its JavaScript heap limit' };
	}
	if (uncaught) return { reason: 'uncaught-exception', what: `died of an uncaught exception: ${describeError(uncaught)}` };
	const meaning = code === null ? undefined : (isNode ? exitCodeMeanings : shellCodeMeanings).get(code);
	return { reason: 'exit-code', what: meaning ? `failed: ${meaning}` : 'failed' };
}

const verdictPhrases: Record<ExitReason, string> = {
	clean: 'ended by itself',
	'exit-code': 'failed',
	signal: 'was killed',
	'uncaught-exception': 'died of an uncaught exception',
	'out-of-memory': 'ran out of memory',
	hung: 'hung: its main thread answered no heartbeat',
	'ready-timeout': 'was not ready in time',
	fatal: 'was given up',
	'memory-limit': 'grew over its memory limit',
	'protocol-error': 'sent what the protocol does not allow',
	requested: 'was stopped as requested',
	'spawn-failed': 'could not be started',
};

/** `TypeError: boom, at /bot/index.js:12:28: throw new TypeError('boom')`, as far as it is known. */
function describeError({ text, place, source }: UncaughtError): string {
	const where = place === undefined ? text : `${text}, at ${place}`;
	return source === undefined
		? where
		: `${where}: ${source.length > longestSource ? `${source.slice(0, longestSource)}…` : source}`;
}

function ending({ code, signal }: ExitEvidence): string {
	return signal === null ? `exit code ${code ?? 'unknown'}` : signal;
}
