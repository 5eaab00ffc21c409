// What the owner of a supervised child passes to it: what to run, by which rules, and how to communicate with the process.
import type { Clock } from '@shardctl/core';
import type { ChildHandle, ProcessHost } from './child-handle.js';
import type { ChildSpec } from './child-spec.js';
import type { ExitReport } from './exit-reason.js';
import type { LogLine, LogRing } from './log-ring.js';
import type { RestartPolicy } from './restart-policy.js';

/** What a child is asked to shut down for. */
export interface ShutdownOptions {
	/** Whether the child is stopped or given up; `false` when another process may take its place. */
	final: boolean;
}

/** What the owner builds around each new child: its channel. */
export interface ChildLink {
	/** Resolves when the child's main thread has answered. Needs no deadline of its own; the signal aborts when the answer no longer matters. */
	ping(signal: AbortSignal): Promise<void>;
	/** Whether silence means nothing now (default: it does): what carries the answers is away, and not the child. */
	isExcused?(): boolean;
	/** Asks the child to close its inspector, which was opened to find where it hangs. Resolves when it is closed; not called while one call is out. */
	closeInspector?(): Promise<void>;
	/** Asks the child to end. Resolves when it has answered and will exit by itself; a rejection sends the SIGTERM at once. */
	shutdown(reason: string, options: ShutdownOptions): Promise<void>;
	/** The child is gone for good: settle everything. Called exactly once. */
	closed(report: ExitReport): void;
}

export interface SupervisedChildOptions {
	/** What to run; a function is called for each incarnation, with its number. */
	spec: ChildSpec | ((epoch: number) => ChildSpec);
	/** Null: an unrequested exit is final. */
	policy: RestartPolicy | null;
	/** How long a new process may take to become ready; 0 or `Infinity`: no limit. */
	readyTimeoutMs: number;
	/** How long a process that was asked to end may take, until the SIGTERM; 0: not asked at all. */
	shutdownGraceMs: number;
	/** From the SIGTERM to the SIGKILL (default 2000). */
	killAfterMs?: number;
	/** 0 or `Infinity` in either turns it off. */
	heartbeat: { intervalMs: number; timeoutMs: number };
	/** Resident memory over which the process is replaced; 0 or `Infinity` (default): no limit. */
	maxMemoryBytes?: number;
	/** Builds the channel, in the same turn in which the process was started, so that no message is missed. */
	connect(child: ChildHandle, epoch: number): ChildLink;
	/**
	 * Waits until the process may be started. A rejection refuses: the child is `failed`, and tried again after a cool-down. The
	 * signal aborts when the start is cancelled, also after the promise has resolved, as long as nothing was started.
	 */
	beforeSpawn?(signal: AbortSignal): Promise<void>;
	/** Where its lines are kept (default: a ring of its own); the ring of another child continues that child's lines. */
	logs?: LogRing<LogLine>;
	/** Called with what a listener of the child's events threw. Without it the error becomes an uncaught exception. */
	onOwnerError?(error: unknown): void;
	clock?: Clock;
	/** A number in [0, 1) (default `Math.random`). */
	random?: () => number;
	/** The operating system (default: the real one). */
	host?: ProcessHost;
}
