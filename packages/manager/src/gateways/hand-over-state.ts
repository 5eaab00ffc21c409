// The states of a hand-over, and which event leads where. Pure data: the machine that moves through them is hand-over.ts.
//
// planned      Not begun.
// announcing   The gateway process is being asked to hold the successor's IDENTIFYs.
// booting      The successor is running; an IDENTIFY of it is awaited for every shard. The old process handles events.
// pausing      The stream is stopped; the old process is acknowledging what it was sent.
// presenting   The successor gets READY and its guilds; every shard of it has to become ready.
// releasing    The successor is the worker: from here on there is no way back. The old process is logging out.
// committing   The gateway process is being asked to continue the stream to the successor.
// retiring     Events flow to the successor. The old process is ending.
// done         The old process is gone.
//
// Where the old process is kept, so that it can be brought back, `releasing` and `retiring` wait for nothing: it is set aside and runs on.
//
// aborting     Something failed before the successor was ready: it is being dropped and stopped, the stream continues to the old process.
// rolled-back  The successor is gone, and the old process is the worker as before.
//
// In the five states before `releasing` a timer runs. In each state at most one request to the gateway process is pending, and it is
// cancelled when the state is left.

export type HandOverState =
	| 'planned'
	| 'announcing'
	| 'booting'
	| 'pausing'
	| 'presenting'
	| 'releasing'
	| 'committing'
	| 'retiring'
	| 'done'
	| 'aborting'
	| 'rolled-back';

export type HandOverEvent =
	| 'begin'
	/** The gateway process holds the successor's IDENTIFYs. */
	| 'announced'
	/** An IDENTIFY of the successor is held for every shard. */
	| 'waiting'
	/** The old process has acknowledged every event that it was sent. */
	| 'drained'
	/** Every shard of the successor is ready. */
	| 'ready'
	/** The successor ended or was closed, a request failed, a state took too long, or the manager stops. */
	| 'failed'
	/** The old process has logged out of every shard. */
	| 'released'
	/** The stream continues to the successor, or its gateway process has died and will start with the successor as its worker. */
	| 'committed'
	/** The old process is gone. */
	| 'gone'
	/** The successor is gone. */
	| 'aborted';

/** What follows in each state; an event without an entry comes too late, or does not matter there. */
export const handOverTransitions: Record<HandOverState, Partial<Record<HandOverEvent, HandOverState>>> = {
	planned: { begin: 'announcing' },
	announcing: { announced: 'booting', failed: 'aborting' },
	booting: { waiting: 'pausing', failed: 'aborting' },
	pausing: { drained: 'presenting', failed: 'aborting' },
	presenting: { ready: 'releasing', failed: 'aborting' },
	releasing: { released: 'committing', gone: 'committing' },
	committing: { committed: 'retiring' },
	retiring: { gone: 'done' },
	done: {},
	aborting: { aborted: 'rolled-back' },
	'rolled-back': {},
};
