// The states of a supervised child, what holds in each, and which may follow which. Pure data: the machine that moves through
// them is supervised-child.ts.
//
// planned       Never started. No process, no timer.
// spawning      About to fork: `beforeSpawn` is pending. No process. A stop or a failure aborts the signal it was given.
// starting      A process exists and is not ready. The ready timeout runs unless the owner paused it; heartbeats run.
// ready         The owner said that it is ready. Heartbeats run.
// unresponsive  It was starting or ready and its main thread fell silent. Evidence is being gathered; then it is replaced,
//               unless it answers before that.
// draining      It is being ended (asked, SIGTERM, SIGKILL), and `#after` says what follows its exit. No heartbeats.
// exited        The process has exited; what it left behind is being ended and its last output read. Nothing new is started.
// backing-off   Nothing of it is left. A timer runs until the next start.
// failed        Nothing of it is left. Given up: for the cool-down, whose timer runs, or for good, without one.
// stopped       Nothing of it is left, no timer. It stays so until its owner starts it again.
//
// In the first two and the last three states there is no process and no heartbeat; in all of them but `spawning` nothing is
// pending except the timer that is named. A process exists in the others, and only one: `spawning` is entered from states
// without a process alone.

export type ChildState =
	| 'planned'
	| 'spawning'
	| 'starting'
	| 'ready'
	| 'unresponsive'
	| 'draining'
	| 'exited'
	| 'backing-off'
	| 'failed'
	| 'stopped';

/** Which states may follow which. */
export const childTransitions: Record<ChildState, readonly ChildState[]> = {
	planned: ['spawning', 'failed', 'stopped'],
	spawning: ['starting', 'exited', 'failed', 'stopped'],
	starting: ['ready', 'unresponsive', 'draining', 'exited'],
	ready: ['unresponsive', 'draining', 'exited'],
	unresponsive: ['starting', 'ready', 'draining', 'exited'],
	draining: ['exited'],
	exited: ['spawning', 'backing-off', 'failed', 'stopped'],
	'backing-off': ['spawning', 'failed', 'stopped'],
	failed: ['spawning', 'failed', 'stopped'],
	stopped: ['spawning', 'failed'],
};
