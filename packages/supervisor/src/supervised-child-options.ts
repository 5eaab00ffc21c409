// What the owner of a supervised child gives it: what to run, by which rules, and how to talk to the process.
import type { ChildProcess } from 'node:child_process';
import type { Clock } from '@shardctl/core';
import type { ChildSpec } from './child-spec.js';
import type { ExitReport } from './exit-reason.js';
import type { ProcessHost } from './process-host.js';
import type { RestartPolicy } from './restart-policy.js';

/** What the owner builds around each new process: its channel. */
export interface ChildLink {
	/** Resolves when the child's main thread has answered. Needs no deadline of its own; the signal says that nobody waits any more. */
	ping(signal: AbortSignal): Promise<void>;
	/** Asks the child to end. Resolves when it said that it is done, and exits by itself; a rejection brings the SIGTERM at once. */
	shutdown(reason: string): Promise<void>;
	/** The process is gone for good: settle everything. Called exactly once. */
	closed(report: ExitReport): void;
}

export interface SupervisedChildOptions {
	/** What to run; as a function, it is asked anew for each incarnation, whose number it is given. */
	spec: ChildSpec | ((epoch: number) => ChildSpec);
	/** Null: an exit that nobody asked for is final. */
	policy: RestartPolicy | null;
	/** How long a new process may take to become ready; 0 or `Infinity`: for ever. */
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
	connect(child: ChildProcess, epoch: number): ChildLink;
	/**
	 * Waits until the process may be started. A rejection refuses: the child is `failed`, and tried again after a cool-down. The
	 * signal aborts when the start is called off, also after the promise has resolved as long as nothing was started.
	 */
	beforeSpawn?(signal: AbortSignal): Promise<void>;
	clock?: Clock;
	/** A number in [0, 1) (default `Math.random`). */
	random?: () => number;
	/** The operating system (default: the real one). */
	host?: ProcessHost;
}
