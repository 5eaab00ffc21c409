// What a supervised child reports to its owner. Every event carries one object.
import type { ChildState } from './child-state.js';
import type { ExitReport } from './exit-reason.js';
import type { LogLine } from './log-ring.js';

export interface SupervisedChildEvents {
	state: [{ from: ChildState; to: ChildState; reason: string }];
	/** A process was started. */
	spawned: [{ pid: number; epoch: number }];
	ready: [{ pid: number; epoch: number; bootMs: number }];
	/** A process is gone for good, with its group. */
	exited: [ExitReport];
	/** It will be started again after this wait. */
	backoff: [{ delayMs: number; restartsInWindow: number }];
	/** Given up: until a cool-down has passed, or for good (`retryInMs` null). */
	failed: [{ reason: string; error: unknown; report: ExitReport | null; retryInMs: number | null }];
	/** Its main thread does not answer; it will be replaced. */
	unresponsive: [{ pid: number; epoch: number; silentForMs: number }];
	/** It is over nine tenths of its memory limit (a warning), or over the limit (it will be replaced). */
	memory: [{ pid: number; epoch: number; rssBytes: number; limitBytes: number; over: boolean }];
	log: [LogLine];
}
