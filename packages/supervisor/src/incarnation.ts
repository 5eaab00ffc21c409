// One child from its start until it is gone for good: its output, its end, and the report on it. It knows nothing of
// restarts, heartbeats or readiness timeouts; it is given the reason for its end and remembers the first one.
import { type Clock, type ExitReason, messageOf, type Timer } from '@shardctl/core';
import type { ChildExit, ChildHandle, ProcessHost } from './child-handle.js';
import type { ChildSpec } from './child-spec.js';
import { DebuggerWatch } from './debugger-watch.js';
import { classifyExit, type ExitReport } from './exit-reason.js';
import { asksForInspector, waitsForDebugger } from './inspect-port.js';
import { LeftOutLines } from './left-out-lines.js';
import { LogBudget } from './log-budget.js';
import { LineSplitter } from './log-lines.js';
import { type LogLine, LogRing, type LogStream } from './log-ring.js';
import { Termination } from './termination.js';
import { foldNodeFrames } from './uncaught-error.js';

const maxLineBytes = 32 * 1024;
/** Enough for an error with a long message, several causes and their stacks. */
const tailBounds = { maxLines: 200, maxChars: 64 * 1024 };
/** How many lines of it a report has. */
const reportedLines = 40;
/** How long the pipes of a process that has exited may still be held open by a process that left its group. */
const outputDrainMs = 1000;
/** How long a hung process may take to say where it hangs. */
const stackTimeoutMs = 2000;

export interface IncarnationOptions {
	spec: ChildSpec;
	epoch: number;
	clock: Clock;
	host: ProcessHost;
	/** From a SIGTERM to the SIGKILL. */
	killAfterMs: number;
	onLine(line: LogLine): void;
	/** It wrote so many lines more than the budget allows; a line says so as well. */
	onLeftOut(lines: number): void;
	/** The child itself has exited; what it left behind may still be there. Not called for a child that was never started. */
	onExit(): void;
	/** Nothing of it is left. Called exactly once, never from within the constructor. */
	onGone(report: ExitReport): void;
}

/** Why a process is being ended, and how. */
export interface EndOrder {
	reason: ExitReason;
	/** For the report's sentence: a predicate such as `answered no heartbeat for 30 s`. */
	detail?: string | undefined;
	/** See {@link Termination}. */
	ask: (() => Promise<void>) | null;
	graceMs: number;
}

/** What is known from the moment of the exit. */
interface ExitFacts {
	code: number | null;
	signal: NodeJS.Signals | null;
	/** Milliseconds since the epoch. */
	at: number;
	uptimeMs: number;
	readyForMs: number;
	kernelOutOfMemory: boolean;
	/** What ended, and why, where the child's host said so. */
	name: string | undefined;
	detail: string | undefined;
}

const nothingMore = { kernelOutOfMemory: false, name: undefined, detail: undefined };

export class Incarnation {
	readonly epoch: number;
	/** Null where the start failed outright. */
	readonly child: ChildHandle | null;
	/** Milliseconds since the epoch, at the fork. */
	readonly startedAt: number;
	readonly #options: IncarnationOptions;
	readonly #bornAt: number;
	readonly #debugger: DebuggerWatch;
	readonly #logBudget: LogBudget;
	readonly #stderrTail = new LogRing<LogLine>(tailBounds);
	#order: EndOrder | null = null;
	#termination: Termination | null = null;
	#readyAt: number | null = null;
	#spent = false;
	#spawnError: string | undefined;
	#exit: ExitFacts | null = null;
	#stack: string[] = [];
	#endSearch: () => void = () => {};

	constructor(options: IncarnationOptions) {
		this.#options = options;
		this.epoch = options.epoch;
		this.#debugger = new DebuggerWatch({ requested: options.spec.command === undefined && asksForInspector(options.spec) });
		this.startedAt = options.clock.now();
		this.#bornAt = options.clock.monotonic();
		this.#logBudget = new LogBudget(options.clock);
		this.child = this.#start();
	}

	get pid(): number | null {
		return this.child?.pid ?? null;
	}

	/** Whether the child was started and has not exited. */
	get isRunning(): boolean {
		return this.pid !== null && this.#exit === null;
	}

	get wasReady(): boolean {
		return this.#readyAt !== null;
	}

	markReady(): void {
		this.#readyAt ??= this.#options.clock.monotonic();
	}

	markSpent(): void {
		this.#spent = true;
	}

	/** Whether a debugger holds it, or it was started to wait for one: it is slow on purpose then. */
	get isDebugged(): boolean {
		const { spec } = this.#options;
		if (spec.command === undefined && waitsForDebugger(spec.execArgv ?? [])) return true;
		return this.child?.isDebugged(this.#debugger) ?? false;
	}

	/**
	 * Finds out in which frames its main thread hangs, innermost first; the report will hold them as well. Resolves within
	 * {@link stackTimeoutMs}, or when the process exits.
	 */
	async captureStack(): Promise<string[]> {
		const { clock } = this.#options;
		const search = new AbortController();
		const over = new Promise<string[]>((resolve) => {
			search.signal.addEventListener('abort', () => resolve([]), { once: true });
		});
		const timer = clock.setTimeout(() => search.abort(), stackTimeoutMs);
		this.#endSearch = () => {
			clock.clearTimeout(timer);
			search.abort();
		};
		const frames = (this.child as ChildHandle).hungStack(this.#debugger, search.signal);
		// A search that fails finds nothing; the process is replaced all the same.
		this.#stack = await Promise.race([frames, over]).catch(() => []);
		this.#endSearch();
		return this.#stack;
	}

	/** Whether the search for the stack has opened the process's inspector, which is open still. */
	get hasOpenInspector(): boolean {
		return this.#debugger.ours;
	}

	/** The process has closed its inspector. */
	noteInspectorClosed(): void {
		this.#debugger.closed();
	}

	/** Begins to end the process. The first reason stays; a second call can only {@link hasten}. */
	end(order: EndOrder): void {
		this.#order ??= order;
		if (this.#termination || !this.isRunning) return;
		const { clock, killAfterMs } = this.#options;
		const child = this.child as ChildHandle;
		this.#termination = new Termination({
			clock,
			ask: order.ask,
			graceMs: order.graceMs,
			killAfterMs,
			terminate: () => child.signal('SIGTERM'),
			kill: () => child.kill(),
		});
		this.#termination.start();
	}

	/** Leaves at most `graceMs` for the present step of the ending; 0 takes the next step now. */
	hasten(graceMs: number): void {
		this.#termination?.hasten(graceMs);
	}

	#start(): ChildHandle | null {
		let child: ChildHandle;
		try {
			child = this.#options.host.start(this.#options.spec);
		} catch (error) {
			this.#failToSpawn(error);
			return null;
		}
		if (child.pid === null) {
			child.onStartError((error) => this.#failToSpawn(error));
			return child;
		}
		const outputClosed = Promise.all([this.#capture(child, 'stdout'), this.#capture(child, 'stderr')]);
		const closed = Promise.all([outputClosed, channelClosed(child)]);
		child.onExit((exit) => {
			this.#noteExit(exit);
			this.#finalize(child, { outputClosed, closed }).catch(() => this.#options.onGone(this.#report()));
		});
		return child;
	}

	#failToSpawn(error: unknown): void {
		if (this.#spawnError !== undefined) return;
		this.#spawnError = messageOf(error);
		const { clock } = this.#options;
		this.#exit = { code: null, signal: null, at: clock.now(), uptimeMs: 0, readyForMs: 0, ...nothingMore };
		// A fork that failed halfway may have left its end of the pipes.
		this.child?.close();
		// The owner hears of it in a later turn, as of every other end.
		queueMicrotask(() => this.#options.onGone(this.#report()));
	}

	/**
	 * Reads a stream line by line until it closes. It is not paused for long: a full pipe blocks the child's next write. What is more than
	 * the budget allows is counted, and reported once a second.
	 */
	#capture(child: ChildHandle, stream: LogStream): Promise<void> {
		const source = child.output[stream];
		if (!source) return Promise.resolve();
		const { clock, onLine, onLeftOut } = this.#options;
		const entryOf = (line: string): LogLine => ({ stream, line, epoch: this.epoch, pid: this.pid, at: clock.now() });
		const leftOut = new LeftOutLines(clock, (lines) => {
			onLeftOut(lines);
			onLine(entryOf(`… [left out: ${lines} more lines]`));
		});
		const splitter = new LineSplitter({
			maxBytes: maxLineBytes,
			budget: this.#logBudget,
			onLeftOut: (lines) => leftOut.add(lines),
			onLine: (line) => {
				const entry = entryOf(line);
				if (stream === 'stderr') {
					if (this.#debugger.see(line)) return;
					this.#stderrTail.push(entry);
				}
				onLine(entry);
			},
		});
		source.on('data', (chunk: Buffer) => {
			const pauseMs = this.#logBudget.noteRead(chunk.length);
			splitter.write(chunk);
			if (pauseMs <= 0) return;
			source.pause();
			clock.setTimeout(() => source.resume(), pauseMs);
		});
		// A broken pipe is followed by the close, like a good one.
		source.on('error', () => undefined);
		return new Promise((resolve) => {
			source.once('close', () => {
				splitter.end();
				leftOut.report();
				resolve();
			});
		});
	}

	#noteExit({ code, signal, name, detail, kernelOutOfMemory }: ChildExit): void {
		const { clock, host } = this.#options;
		const now = clock.monotonic();
		this.#exit = {
			code,
			signal,
			at: clock.now(),
			uptimeMs: now - this.#bornAt,
			readyForMs: this.#readyAt === null ? 0 : now - this.#readyAt,
			// Asked only where nothing else explains a SIGKILL, because asking claims the kill.
			kernelOutOfMemory: signal === 'SIGKILL' && this.#order === null && (kernelOutOfMemory ?? host.claimOomKill()),
			name: name ?? this.child?.name,
			detail,
		};
		this.#termination?.end();
		this.#endSearch();
	}

	/** After the exit: ends what the child left behind, reads its last output, and reports. */
	async #finalize(
		child: ChildHandle,
		{ outputClosed, closed }: Record<'outputClosed' | 'closed', Promise<unknown>>,
	): Promise<void> {
		const { clock } = this.#options;
		const groupEnded = child.endGroup();
		this.#options.onExit();
		await groupEnded;
		// Output and messages from before the exit must not reach the owner after the report.
		let timer: Timer | undefined;
		const drained = new Promise<void>((resolve) => {
			timer = clock.setTimeout(resolve, outputDrainMs);
		});
		await Promise.race([closed, drained]);
		clock.clearTimeout(timer);
		// A process that left the group may hold the pipes; closing our ends flushes the lines that are there.
		child.close();
		await outputClosed;
		this.#options.onGone(this.#report());
	}

	#report(): ExitReport {
		const exit = this.#exit as ExitFacts;
		const stderrTail = this.#stderrTail.toArray().map(({ line }) => line);
		const { code, signal, uptimeMs, readyForMs, at } = exit;
		const facts = { code, signal, pid: this.pid, uptimeMs, wasReady: this.wasReady };
		const judgement = classifyExit({
			...facts,
			stderrTail,
			verdict: this.#order?.reason ?? null,
			verdictDetail: this.#order?.detail,
			spawnError: this.#spawnError,
			exitDetail: exit.detail,
			kernelOutOfMemory: exit.kernelOutOfMemory,
			isNode: this.#options.spec.command === undefined,
			name: exit.name,
		});
		return {
			...facts,
			...judgement,
			stderrTail: foldNodeFrames(stderrTail).slice(-reportedLines),
			epoch: this.epoch,
			readyForMs,
			spent: this.#spent,
			stack: judgement.reason === 'hung' ? this.#stack : [],
			at,
		};
	}
}

function channelClosed({ channel }: ChildHandle): Promise<void> {
	return channel.connected ? new Promise((resolve) => void channel.on('disconnect', resolve)) : Promise.resolve();
}
