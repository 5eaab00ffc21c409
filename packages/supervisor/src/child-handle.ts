// One running child as the supervisor and its owner see it, whatever it is: a forked node process, another program, a worker
// thread, something at the end of a socket. Interfaces only; process-host.ts implements them for processes.
import type { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import type { ChildSpec } from './child-spec.js';
import type { DebuggerWatch } from './debugger-watch.js';

/** How a child ended, seen from outside. */
export interface ChildExit {
	/** Exit code; null when a signal ended it. */
	code: number | null;
	signal: NodeJS.Signals | null;
	/** Where more than the child has ended: a name for reports, such as `process 4711`. */
	name?: string;
	/** Why, as a predicate for reports, where the signal does not say it. */
	detail?: string;
	/** Whether the kernel's out-of-memory killer ended it, where the child's host has found that out (else its host is asked). */
	kernelOutOfMemory?: boolean;
}

/**
 * The ordered message channel between a child and its owner. A child without one has a channel that is closed from the start:
 * `connected` is `false`, and each `send` reports an error.
 */
export interface ChildChannel {
	readonly connected: boolean;
	/** Sends one message. `false`: wait for `done` before sending more. `done` gets an error when the channel is broken. */
	send(message: unknown, done: (error: Error | null) => void): boolean;
	/**
	 * Sends an open socket beside a message. The owner's end stays open until the owner closes it. `done` gets an error when the
	 * channel is broken or cannot carry sockets.
	 */
	sendSocket(message: unknown, socket: Socket, done: (error: Error | null) => void): void;
	/** Calls the listener once, when the child has sent a message that is larger than may be received. Nothing more arrives from it then. */
	onTooLarge?(listener: () => void): void;
	on(event: 'message', listener: (message: unknown) => void): unknown;
	/** Emitted once, when the channel has ended after it was connected. */
	on(event: 'disconnect', listener: () => void): unknown;
}

/** What the child writes; null where it has no such stream. The supervisor reads both to their end. */
export interface ChildOutput {
	readonly stdout: Readable | null;
	readonly stderr: Readable | null;
}

export interface ChildHandle {
	/** Names the child in reports and events; null when it could not be started. */
	readonly pid: number | null;
	/** What it is, for reports (default: `process 4711`). */
	readonly name?: string;
	readonly channel: ChildChannel;
	readonly output: ChildOutput;
	/** The owner's end of a program's file descriptor 3; null where it was not requested. */
	readonly lines?: Duplex | null;
	/** Calls the listener once, in a later turn, where the child could not be started: it has no pid and never exits. */
	onStartError(listener: (error: Error) => void): void;
	/** Calls the listener once, when the child itself has exited. What it started may still run. */
	onExit(listener: (exit: ChildExit) => void): void;
	/**
	 * Signals a node process itself, and a program with its group, as a terminal does: it may be a shell that runs the program. `false` when
	 * it is gone. A child that knows no signals ends at SIGTERM.
	 */
	signal(signal: NodeJS.Signals): boolean;
	/** Ends the child with everything that it started and that is still in its group. Nothing survives it. */
	kill(): void;
	/** After the exit: ends what the child left behind and resolves when nothing of it is alive. */
	endGroup(): Promise<void>;
	/** After the exit: closes the owner's ends of output and channel, which something outside the group may hold open. */
	close(): void;
	/** Whether a debugger of a person is attached. */
	isDebugged(inspector: DebuggerWatch): boolean;
	/** The frames that a hung child is busy in, innermost first; empty when they cannot be had before the signal aborts. */
	hungStack(inspector: DebuggerWatch, signal: AbortSignal): Promise<string[]>;
}

/** Starts children. The supervisor is tested on a host that starts nothing. */
export interface ProcessHost {
	/** Starts a child. May throw, or return a handle without a pid, which reports the error through `onStartError`. */
	start(spec: ChildSpec): ChildHandle;
	/** Whether the kernel's out-of-memory killer ended a process and that kill is not claimed yet; claims it. */
	claimOomKill(): boolean;
}
