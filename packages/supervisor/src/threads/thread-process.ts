// One process of ours that runs its children's programs as threads, seen from its owner. It starts with its first thread and ends with its
// last one. Its own output is shown with its first living thread, and its last words with every thread that dies with it.
import { createRequire } from 'node:module';
import { deferred, guardListener } from '@shardctl/core';
import type { ChildExit, ChildHandle, ProcessHost } from '../child-handle.js';
import type { NodeChildSpec } from '../child-spec.js';
import { DebuggerWatch } from '../debugger-watch.js';
import { asksForInspector } from '../inspect-port.js';
import { LineSplitter } from '../log-lines.js';
import { isFromProcess } from './from-process.js';
import type { Place } from './placement.js';
import { withoutPreloads } from './preload-flags.js';
import { ThreadHandle } from './thread-handle.js';
import type { FromProcess, OutputName, ToProcess } from './thread-messages.js';

const programFile = createRequire(import.meta.url).resolve('@shardctl/supervisor/thread-program');

/** How long a thread may take to end that is in code of its own, such as a native addon, before its process is killed. */
const stuckMs = 3000;
/** How long messages from before the exit of a process may take to arrive. */
const lastMessagesMs = 1000;
/** How long a process without a thread may take to end by itself. */
const ownEndMs = 2000;
/** Of its standard error, what is kept for the threads that die with it. */
const lastWordsBytes = 16 * 1024;

export interface ThreadProcessOptions {
	host: ProcessHost;
	/** Of its first thread. The program, its arguments and the modules that are loaded before it are the threads' own. */
	spec: NodeChildSpec;
	/** See {@link ThreadHostOptions.isPrivate}. */
	isPrivate(message: unknown): boolean;
}

interface Entry {
	owner: number;
	handle: ThreadHandle;
	/** What has not ended yet: itself, its channel, its two outputs. */
	open: number;
}

/**
 * - `running`: takes threads.
 * - `closing`: its last thread has ended, or its channel broke; it takes none any more.
 * - `gone`: the process has exited, or was never started.
 */
type State = 'running' | 'closing' | 'gone';

export class ThreadProcess implements Place {
	readonly cwd: string | undefined;
	readonly #options: ThreadProcessOptions;
	readonly #child: ChildHandle;
	readonly #debugger: DebuggerWatch;
	readonly #threads = new Map<number, Entry>();
	readonly #stacks = new Map<number, (frames: string[]) => void>();
	#state: State = 'running';
	#lastThread = 0;
	#lastWords = Buffer.alloc(0);
	/** Why it is being killed, for the reports of its threads. */
	#killedFor: string | undefined;
	readonly #exited = deferred();

	constructor(options: ThreadProcessOptions) {
		this.#options = options;
		const { host, spec } = options;
		this.cwd = spec.cwd;
		this.#debugger = new DebuggerWatch({ requested: asksForInspector(spec) });
		this.#child = host.start({
			id: 'threads',
			file: programFile,
			execArgv: withoutPreloads(spec.execArgv ?? []),
			ordinal: spec.ordinal ?? 0,
			env: spec.env,
			...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
		});
		this.#listen();
	}

	get isGone(): boolean {
		return this.#state === 'gone';
	}

	get isOpen(): boolean {
		return this.#state === 'running' && this.#child.channel.connected;
	}

	get owners(): number[] {
		return this.#living().map(({ owner }) => owner);
	}

	start(spec: NodeChildSpec): ThreadHandle {
		const thread = ++this.#lastThread;
		const handle = new ThreadHandle({
			pid: this.#child.pid,
			commands: {
				send: (message, done) =>
					this.#post({ type: 'message', thread, private: this.#options.isPrivate(message), message }, done),
				disconnect: () => this.#post({ type: 'disconnect', thread }),
				setPaused: (stream, paused) => this.#post({ type: paused ? 'pause' : 'resume', thread, stream }),
				end: () => this.#post({ type: 'end', thread }),
				kill: () => this.#kill(thread),
				left: () => this.#left(),
				isDebugged: () => this.#child.isDebugged(this.#debugger),
				stack: (signal) => this.#stack(thread, signal),
			},
		});
		this.#threads.set(thread, { owner: spec.ordinal ?? 0, handle, open: 4 });
		const { id: name, file, args = [], execArgv = [], env } = spec;
		this.#post({ type: 'start', thread, start: { name, file, args, execArgv, env } });
		return handle;
	}

	#living(): Entry[] {
		return [...this.#threads.values()].filter(({ handle }) => !handle.exited);
	}

	#post(message: ToProcess, done: (error: Error | null) => void = () => {}): boolean {
		return this.#child.channel.send(message, done);
	}

	#listen(): void {
		const child = this.#child;
		if (child.pid === null) {
			child.onStartError((error) => {
				this.#state = 'gone';
				for (const { handle } of this.#threads.values()) handle.failed(error);
				child.close();
			});
			return;
		}
		const { channel } = child;
		channel.on(
			'message',
			guardListener(
				(message: unknown) => {
					if (isFromProcess(message)) this.#receive(message);
					else this.#distrust();
				},
				() => this.#distrust(),
			),
		);
		channel.onTooLarge?.(() => {
			for (const { handle } of this.#living()) handle.tooLarge();
		});
		const disconnected = new Promise<void>((resolve) => void channel.on('disconnect', resolve));
		channel.on('disconnect', () => this.#onDisconnected());
		const outputClosed = Promise.all([this.#capture('stdout'), this.#capture('stderr')]);
		child.onExit((exit) => void this.#onExit(exit, disconnected, outputClosed));
	}

	#receive(message: FromProcess): void {
		const entry = this.#threads.get(message.thread);
		if (message.type === 'stack') {
			this.#stacks.get(message.thread)?.(message.frames);
			return;
		}
		if (!entry) return;
		const { handle } = entry;
		switch (message.type) {
			case 'message':
				handle.received(message.message);
				break;
			case 'output':
				handle.output[message.stream].add(message.text);
				break;
			case 'output-end':
				handle.output[message.stream].finish();
				this.#noteEnd(message.thread, entry);
				break;
			case 'disconnect':
				handle.disconnected();
				this.#noteEnd(message.thread, entry);
				break;
			case 'too-large':
				handle.tooLarge();
				break;
			case 'exit':
				handle.ended(message.code);
				this.#noteEnd(message.thread, entry);
				break;
		}
	}

	/** It has sent what our program does not send: code of a bot has written to its channel. */
	#distrust(): void {
		this.#killedFor ??= 'was killed, because it sent what is no message of its threads';
		this.#child.kill();
	}

	#noteEnd(thread: number, entry: Entry): void {
		entry.open--;
		if (entry.open === 0) this.#threads.delete(thread);
		if (this.#threads.size === 0) this.#close();
	}

	/** Its last thread is gone: it has nothing left to do. */
	#close(): void {
		if (this.#state !== 'running') return;
		this.#state = 'closing';
		this.#child.close();
		const timer = setTimeout(() => this.#child.kill(), ownEndMs);
		this.#child.onExit(() => clearTimeout(timer));
	}

	/** Nothing can be asked of it any more; it ends by itself as well. */
	#onDisconnected(): void {
		if (this.#state === 'running') this.#state = 'closing';
		if (this.#living().length > 0) this.#child.kill();
	}

	#kill(thread: number): void {
		this.#post({ type: 'end', thread });
		const entry = this.#threads.get(thread);
		const timer = setTimeout(() => {
			if (!entry || entry.handle.exited) return;
			this.#killedFor = 'was killed, because one of its threads could not be ended otherwise';
			this.#child.kill();
		}, stuckMs);
		entry?.handle.onExit(() => clearTimeout(timer));
	}

	/** Resolves at once while threads are left. */
	async #left(): Promise<void> {
		if (this.#child.pid === null || this.#living().length > 0) return;
		this.#close();
		await this.#exited.promise;
		await this.#child.endGroup();
	}

	#stack(thread: number, signal: AbortSignal): Promise<string[]> {
		return new Promise((resolve) => {
			const end = (frames: string[]) => {
				this.#stacks.delete(thread);
				signal.removeEventListener('abort', giveUp);
				resolve(frames);
			};
			const giveUp = () => end([]);
			if (signal.aborted) {
				resolve([]);
				return;
			}
			signal.addEventListener('abort', giveUp, { once: true });
			this.#stacks.set(thread, end);
			this.#post({ type: 'stack', thread });
		});
	}

	/** What the process itself writes, such as node's own reports and native code: it belongs to none of the threads. */
	#capture(stream: OutputName): Promise<void> {
		const source = this.#child.output[stream];
		if (!source) return Promise.resolve();
		const watch = new LineSplitter({ maxBytes: lastWordsBytes, onLine: (line) => this.#debugger.see(line) });
		source.on(
			'data',
			guardListener(
				(chunk: Buffer) => {
					if (stream === 'stderr') {
						this.#lastWords = Buffer.concat([this.#lastWords, chunk]).subarray(-lastWordsBytes);
						if (this.#debugger.requested) watch.write(chunk);
					}
					this.#living()[0]?.handle.output[stream].add(chunk);
				},
				() => this.#distrust(),
			),
		);
		source.on('error', () => undefined);
		return new Promise((resolve) => void source.once('close', resolve));
	}

	async #onExit(exit: ChildExit, disconnected: Promise<void>, outputClosed: Promise<unknown>): Promise<void> {
		this.#state = 'gone';
		const { host } = this.#options;
		const kernelOutOfMemory =
			exit.signal === 'SIGKILL' && this.#killedFor === undefined && this.#living().length > 0 && host.claimOomKill();
		await within(lastMessagesMs, disconnected);
		const dying = this.#living();
		const first = dying[0];
		for (const { handle } of dying) {
			handle.endedWith({
				...exit,
				kernelOutOfMemory,
				name: `process ${this.#child.pid}`,
				...(this.#killedFor === undefined ? {} : { detail: this.#killedFor }),
			});
		}
		this.#exited.resolve();
		await within(lastMessagesMs, outputClosed);
		for (const entry of dying) if (entry !== first) entry.handle.output.stderr.add(this.#lastWords);
		for (const { handle } of this.#threads.values()) {
			handle.output.stdout.finish();
			handle.output.stderr.finish();
			handle.disconnected();
		}
		this.#threads.clear();
		this.#child.close();
	}
}

async function within(ms: number, promise: Promise<unknown>): Promise<void> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<void>((resolve) => {
		timer = setTimeout(resolve, ms);
	});
	await Promise.race([promise, late]);
	clearTimeout(timer);
}
