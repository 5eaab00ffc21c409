// What the owner of a process with threads and the program in that process (thread-program.ts) send each other over the process's channel,
// and what that program and a thread send each other over the thread's own port. Types only: both sides share this file.

/** The key under which a thread finds its {@link ThreadEnd} in `workerData`. */
export type ThreadKey = typeof import('@shardctl/core').threadKey;

export type OutputName = 'stdout' | 'stderr';

/** What to run in a thread. */
export interface ThreadStart {
	/** Names the thread in a debugger. */
	name: string;
	file: string;
	args: string[];
	execArgv: string[];
	env: Record<string, string>;
}

/** To the program in the process. Every thread of a process has a number of its own. */
export type ToProcess =
	| { type: 'start'; thread: number; start: ThreadStart }
	/** Ends the thread wherever its code is. */
	| { type: 'end'; thread: number }
	/** A message for the thread: over its own port where it is `private`, else to its `parentPort`, where the code that it runs may listen. */
	| { type: 'message'; thread: number; private: boolean; message: unknown }
	/** Closes the thread's own port. */
	| { type: 'disconnect'; thread: number }
	| { type: 'pause' | 'resume'; thread: number; stream: OutputName }
	/** Asks for the frames that the thread is busy in. */
	| { type: 'stack'; thread: number };

/** From the program in the process. */
export type FromProcess =
	| { type: 'message'; thread: number; message: unknown }
	| { type: 'output'; thread: number; stream: OutputName; text: string }
	| { type: 'output-end'; thread: number; stream: OutputName }
	/** The thread's own port has closed. */
	| { type: 'disconnect'; thread: number }
	| { type: 'exit'; thread: number; code: number }
	/** The thread has sent a message that is larger than may be received. */
	| { type: 'too-large'; thread: number }
	| { type: 'stack'; thread: number; frames: string[] };
