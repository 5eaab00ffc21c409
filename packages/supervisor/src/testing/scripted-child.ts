// A child that exists in memory only, for tests: it runs a script instead of a program and keeps the promises of ChildHandle, so the
// same contract suite runs on it and on real processes.
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import type { ChildChannel, ChildExit, ChildHandle, ProcessHost } from '../child-handle.js';
import type { ChildSpec } from '../child-spec.js';

/** The child's own end: what a program can do. */
export interface ScriptedEnd {
	readonly spec: ChildSpec;
	/** Sends a message to the owner, in a later turn and as a copy. */
	send(message: unknown, done?: (error: Error | null) => void): boolean;
	onMessage(listener: (message: unknown) => void): void;
	/** The channel was closed by the owner, or the child has exited. */
	onDisconnect(listener: () => void): void;
	/** Closes the channel; the child lives on. */
	disconnect(): void;
	write(stream: 'stdout' | 'stderr', text: string): void;
	exit(code: number | null, signal?: NodeJS.Signals | null): void;
	/** Aborts when the child has exited. */
	readonly gone: AbortSignal;
}

export interface ScriptedChildOptions {
	pid: number;
	spec: ChildSpec;
	/** Without a channel, the child is like a program that knows none. */
	channel?: boolean;
	/** What a signal other than SIGKILL does (default: SIGTERM ends the child). */
	onSignal?: (signal: NodeJS.Signals) => void;
}

export class ScriptedChild implements ChildHandle {
	readonly pid: number;
	readonly output = { stdout: new PassThrough(), stderr: new PassThrough() };
	readonly channel: ChildChannel;
	/** The child's own end. */
	readonly end: ScriptedEnd;
	readonly #owner = new EventEmitter();
	readonly #inside = new EventEmitter();
	readonly #gone = new AbortController();
	readonly #onSignal: ((signal: NodeJS.Signals) => void) | undefined;
	#connected: boolean;

	constructor({ pid, spec, channel = true, onSignal }: ScriptedChildOptions) {
		this.pid = pid;
		this.#connected = channel;
		this.#onSignal = onSignal;
		const isConnected = () => this.#connected;
		this.channel = {
			get connected() {
				return isConnected();
			},
			send: (message, done) => this.#carry(message, this.#inside, done),
			sendSocket: (_message, _socket, done) => process.nextTick(done, new Error('a scripted child takes no sockets')),
			on: (event: string, listener: (message: unknown) => void) => this.#owner.on(event, listener),
		};
		this.end = {
			spec,
			send: (message, done = () => {}) => this.#carry(message, this.#owner, done),
			onMessage: (listener) => void this.#inside.on('message', listener),
			onDisconnect: (listener) => void this.#inside.on('disconnect', listener),
			disconnect: () => this.#disconnect(),
			write: (stream, text) => void this.output[stream].write(text),
			exit: (code, signal = null) => this.exit(code, signal),
			gone: this.#gone.signal,
		};
	}

	get exited(): boolean {
		return this.#gone.signal.aborted;
	}

	onStartError(): void {}

	onExit(listener: (exit: ChildExit) => void): void {
		this.#owner.once('exit', listener);
	}

	signal(signal: NodeJS.Signals): boolean {
		if (this.exited) return false;
		if (signal === 'SIGKILL') this.kill();
		else if (this.#onSignal) this.#onSignal(signal);
		else if (signal === 'SIGTERM') this.#exitSoon('SIGTERM');
		return true;
	}

	kill(): void {
		this.#exitSoon('SIGKILL');
	}

	endGroup(): Promise<void> {
		return Promise.resolve();
	}

	close(): void {
		this.output.stdout.destroy();
		this.output.stderr.destroy();
		this.#disconnect();
	}

	isDebugged(): boolean {
		return false;
	}

	hungStack(): Promise<string[]> {
		return Promise.resolve([]);
	}

	/** Ends the child: its exit first, then the end of its output and of its channel, as of a process. */
	exit(code: number | null, signal: NodeJS.Signals | null = null): void {
		if (this.exited) return;
		this.#gone.abort(new Error('the child has exited'));
		this.#owner.emit('exit', { code, signal } satisfies ChildExit);
		// Output that is not read yet is still delivered, then each stream closes.
		this.output.stdout.end();
		this.output.stderr.end();
		queueMicrotask(() => this.#disconnect());
	}

	/** As of a process, the exit by a signal is not seen in the turn in which the signal was sent. */
	#exitSoon(signal: NodeJS.Signals): void {
		queueMicrotask(() => this.exit(null, signal));
	}

	#disconnect(): void {
		if (!this.#connected) return;
		this.#connected = false;
		this.#inside.emit('disconnect');
		this.#owner.emit('disconnect');
	}

	/** As strict as the real channel: a copy, delivered in a later turn, and an error once the channel has closed. */
	#carry(message: unknown, to: EventEmitter, done: (error: Error | null) => void): boolean {
		if (!this.#connected) {
			process.nextTick(done, new Error('the channel is closed'));
			return false;
		}
		const copy: unknown = JSON.parse(JSON.stringify(message));
		queueMicrotask(() => {
			if (this.#connected) to.emit('message', copy);
			done(this.#connected ? null : new Error('the channel is closed'));
		});
		return true;
	}
}

/** A host whose every child runs the script, in a later turn than its start: the owner has its listeners by then. */
export function scriptedHost(script: (end: ScriptedEnd) => void): ProcessHost & { living(): number } {
	const living = new Set<ScriptedChild>();
	let lastPid = 100_000;
	return {
		living: () => living.size,
		start(spec) {
			const child = new ScriptedChild({ pid: ++lastPid, spec, channel: spec.command === undefined || spec.channel === true });
			living.add(child);
			child.onExit(() => living.delete(child));
			queueMicrotask(() => {
				if (!child.exited) script(child.end);
			});
			return child;
		},
		claimOomKill: () => false,
	};
}
