// One thread as its supervisor sees it. What becomes of it is reported by the process that it is in.
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { deferred } from '@shardctl/core';
import type { ChildChannel, ChildExit, ChildHandle } from '../child-handle.js';
import type { OutputName } from './thread-messages.js';
import { ThreadOutput } from './thread-output.js';

/** What a thread asks of its process. */
export interface ThreadCommands {
	send(message: unknown, done: (error: Error | null) => void): boolean;
	disconnect(): void;
	setPaused(stream: OutputName, paused: boolean): void;
	/** Ends the thread wherever its code is. */
	end(): void;
	/** Ends the thread, and where that does not help the process. */
	kill(): void;
	/** Resolves when the process is gone, where this was its last thread. */
	left(): Promise<void>;
	isDebugged(): boolean;
	stack(signal: AbortSignal): Promise<string[]>;
}

export interface ThreadHandleOptions {
	/** Of the process; null when it could not be started. */
	pid: number | null;
	commands: ThreadCommands;
}

export class ThreadHandle implements ChildHandle {
	readonly pid: number | null;
	readonly name: string;
	readonly output: Record<OutputName, ThreadOutput>;
	readonly channel: ChildChannel;
	readonly #commands: ThreadCommands;
	readonly #events = new EventEmitter();
	readonly #ended = deferred();
	#connected: boolean;
	#exited = false;
	/** The signal that ends it, as one would a process. */
	#endedBy: NodeJS.Signals | null = null;

	constructor({ pid, commands }: ThreadHandleOptions) {
		this.pid = pid;
		this.name = `a thread of process ${pid ?? '?'}`;
		this.#commands = commands;
		this.#connected = pid !== null;
		this.output = {
			stdout: new ThreadOutput((paused) => commands.setPaused('stdout', paused)),
			stderr: new ThreadOutput((paused) => commands.setPaused('stderr', paused)),
		};
		const isConnected = () => this.#connected;
		this.channel = {
			get connected() {
				return isConnected();
			},
			send: (message, done) => this.#send(message, done),
			sendSocket: (_message: unknown, _socket: Socket, done: (error: Error | null) => void) =>
				process.nextTick(done, new Error('a thread takes no sockets')),
			onTooLarge: (listener) => void this.#events.once('too-large', listener),
			on: (event: string, listener: (message: unknown) => void) => this.#events.on(event, listener),
		};
	}

	get exited(): boolean {
		return this.#exited;
	}

	onStartError(listener: (error: Error) => void): void {
		this.#events.once('start-error', listener);
	}

	onExit(listener: (exit: ChildExit) => void): void {
		this.#events.once('exit', listener);
	}

	/** A thread gets no signals: SIGTERM ends it, and others have no effect. */
	signal(signal: NodeJS.Signals): boolean {
		if (this.#exited) return false;
		if (signal === 'SIGKILL') this.kill();
		else if (signal === 'SIGTERM') {
			this.#endedBy ??= signal;
			this.#commands.end();
		}
		return true;
	}

	kill(): void {
		if (this.#exited) return;
		this.#endedBy = 'SIGKILL';
		this.#commands.kill();
	}

	async endGroup(): Promise<void> {
		if (this.pid === null) return;
		await this.#ended.promise;
		await this.#commands.left();
	}

	close(): void {
		for (const stream of ['stdout', 'stderr'] as const) {
			this.output[stream].destroy();
			// What is left there is thrown away.
			this.#commands.setPaused(stream, false);
		}
		if (!this.#connected) return;
		this.#commands.disconnect();
		this.disconnected();
	}

	isDebugged(): boolean {
		return this.#commands.isDebugged();
	}

	hungStack(_watch: unknown, signal: AbortSignal): Promise<string[]> {
		return this.#exited ? Promise.resolve([]) : this.#commands.stack(signal);
	}

	/** The thread has sent a message. */
	received(message: unknown): void {
		if (this.#connected) this.#events.emit('message', message);
	}

	tooLarge(): void {
		this.#events.emit('too-large');
	}

	/** Its channel has closed. */
	disconnected(): void {
		if (!this.#connected) return;
		this.#connected = false;
		this.#events.emit('disconnect');
	}

	/** The process could not be started. */
	failed(error: Error): void {
		this.#events.emit('start-error', error);
	}

	/** It has ended by itself or because it was to end; its output may still follow. */
	ended(code: number): void {
		this.#exit(this.#endedBy === null ? { code, signal: null } : { code: null, signal: this.#endedBy });
	}

	/** It has ended with its process. */
	endedWith(exit: ChildExit): void {
		this.#exit(exit);
	}

	#exit(exit: ChildExit): void {
		if (this.#exited) return;
		this.#exited = true;
		this.#ended.resolve();
		this.#events.emit('exit', exit);
	}

	#send(message: unknown, done: (error: Error | null) => void): boolean {
		if (this.#connected) return this.#commands.send(message, done);
		process.nextTick(done, new Error('the channel of the thread is closed'));
		return false;
	}
}
