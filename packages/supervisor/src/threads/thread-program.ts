// The program of a process whose threads run the programs of children. Each thread runs one, with environment, arguments, channel and
// output of its own; this main thread only starts and ends them and passes on what they send. Nothing but node's own modules is loaded.
import { StringDecoder } from 'node:string_decoder';
import { inspect } from 'node:util';
import { MessageChannel, type MessagePort, Worker, type WorkerOptions } from 'node:worker_threads';
import type { FromProcess, OutputName, ThreadKey, ThreadStart, ToProcess } from './thread-messages.js';

const key: ThreadKey = 'shardctl';

/** How long the threads may take to end by themselves when the owner of this process is gone: a little longer than each of them takes. */
const orphanMs = 4500;
/** A message of a thread, as text. */
const maxMessageChars = 128 * 2 ** 20;
/** Where each thread writes how much memory it has, so that each can tell its part of the process's. */
const memorySlots = 1024;
const memory = new SharedArrayBuffer(memorySlots * Float64Array.BYTES_PER_ELEMENT);
const sizes = new Float64Array(memory);

interface Thread {
	worker: Worker;
	/** To the runtime in the thread. */
	port: MessagePort;
}

const threads = new Map<number, Thread>();
const usedSlots = new Set<number>();

function send(message: FromProcess, done: (error: Error | null) => void = () => {}): void {
	try {
		process.send?.(message, undefined, undefined, done);
	} catch (error) {
		done(error as Error);
	}
}

function start(thread: number, { name, file, args, execArgv, env }: ThreadStart): void {
	const { port1: port, port2 } = new MessageChannel();
	const slot = freeSlot();
	let worker: Worker;
	try {
		worker = createWorker(file, {
			name,
			argv: args,
			execArgv,
			env,
			// As discord.js's ShardingManager passes it.
			workerData: { ...env, [key]: { port: port2, memory, slot } },
			transferList: [port2],
			stdout: true,
			stderr: true,
		});
	} catch (error) {
		write(thread, error);
		port.close();
		for (const stream of ['stdout', 'stderr'] as const) send({ type: 'output-end', thread, stream });
		send({ type: 'disconnect', thread });
		send({ type: 'exit', thread, code: 1 });
		return;
	}
	usedSlots.add(slot);
	threads.set(thread, { worker, port });
	port.on('message', (message) => {
		send({ type: 'message', thread, message }, (error) => port.postMessage(error ? error.message : null));
	});
	port.on('close', () => send({ type: 'disconnect', thread }));
	worker.on('message', (message) => passOn(thread, message));
	worker.on('error', (error) => write(thread, error));
	worker.on('exit', (code) => {
		threads.delete(thread);
		usedSlots.delete(slot);
		sizes[slot] = 0;
		send({ type: 'exit', thread, code });
		if (!process.connected && threads.size === 0) process.exit();
	});
	capture(thread, worker, 'stdout');
	capture(thread, worker, 'stderr');
}

function freeSlot(): number {
	let slot = 0;
	while (usedSlots.has(slot)) slot++;
	return slot % memorySlots;
}

/** Flags that only a whole process can have are this process's already: node refuses them for a thread, and names them. */
function createWorker(file: string, options: WorkerOptions & { execArgv: string[] }): Worker {
	try {
		return new Worker(file, options);
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		if (code !== 'ERR_WORKER_INVALID_EXEC_ARGV') throw error;
		const refused = new Set(message.slice(message.indexOf(': ') + 2).split(', '));
		return new Worker(file, { ...options, execArgv: options.execArgv.filter((flag) => !refused.has(flag)) });
	}
}

function capture(thread: number, worker: Worker, stream: OutputName): void {
	const decoder = new StringDecoder('utf8');
	worker[stream].on('data', (chunk: Buffer) => send({ type: 'output', thread, stream, text: decoder.write(chunk) }));
	worker[stream].once('close', () => send({ type: 'output-end', thread, stream }));
}

/** Reports an error that ended a thread, as node reports one that ends a process. */
function write(thread: number, error: unknown): void {
	const text = `${describe(error)}\n\nNode.js ${process.version}\n`;
	send({ type: 'output', thread, stream: 'stderr', text });
}

/** An error of another thread is a copy, of which `inspect` would not show the class. */
function describe(error: unknown): string {
	if (!(error instanceof Error) || error.stack === undefined) return `Uncaught ${inspect(error)}`;
	const { ...more } = error;
	return Object.keys(more).length === 0 ? error.stack : `${error.stack} ${inspect(more)}`;
}

/** A message of the program to its `parentPort`. It may be anything that can be cloned; the channel carries JSON. */
function passOn(thread: number, message: unknown): void {
	let text: string | undefined;
	try {
		text = JSON.stringify(message);
	} catch {
		const what = 'a message to parentPort cannot be sent to the manager, because JSON cannot represent it';
		send({ type: 'output', thread, stream: 'stderr', text: `${what}: ${inspect(message, { depth: 0 }).slice(0, 200)}\n` });
		return;
	}
	if (text === undefined) return;
	if (text.length > maxMessageChars) send({ type: 'too-large', thread });
	else send({ type: 'message', thread, message });
}

/** Loaded when a thread hangs for the first time. */
function showStack(thread: number, threadId: number): void {
	import('./thread-stack.js')
		.then(({ threadStack }) => threadStack(threadId))
		.then(
			(frames) => send({ type: 'stack', thread, frames }),
			() => send({ type: 'stack', thread, frames: [] }),
		);
}

process.on('message', (message: ToProcess) => {
	if (message.type === 'start') {
		start(message.thread, message.start);
		return;
	}
	const found = threads.get(message.thread);
	switch (message.type) {
		case 'message':
			if (message.private) found?.port.postMessage([message.message]);
			else found?.worker.postMessage(message.message);
			break;
		case 'end':
			// A thread that has ended meanwhile cannot be.
			found?.worker.terminate().catch(() => {});
			break;
		case 'disconnect':
			found?.port.close();
			break;
		case 'pause':
			found?.worker[message.stream].pause();
			break;
		case 'resume':
			found?.worker[message.stream].resume();
			break;
		case 'stack':
			if (found) showStack(message.thread, found.worker.threadId);
			break;
	}
});

process.on('disconnect', () => {
	if (threads.size === 0) process.exit();
	for (const { port } of threads.values()) port.close();
	setTimeout(() => process.exit(1), orphanMs);
});

// nodemon sends it to every process of a fleet; what runs here is ended by its owner.
process.on('SIGUSR2', () => {});
