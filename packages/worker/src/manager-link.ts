// A worker's end of the channel to its manager. In a process, frames of ours are taken out before the bot sees them, and everything else
// passes: `process.on('message')` and `process.send` stay the bot's own. Nothing here is a listener that the bot could remove.
import {
	type ManagerEvents,
	type ManagerMethods,
	maxSentHeapBytes,
	type ThreadEnd,
	type WorkerConfig,
	type WorkerEvents,
	type WorkerMethods,
} from '@shardctl/core';
import { type IpcEnd, ipcPort, isFrame, Peer, type Port } from '@shardctl/rpc';
import { threadPort } from './thread/thread-port.js';

export type ManagerPeer = Peer<WorkerMethods, ManagerMethods, WorkerEvents, ManagerEvents>;

export interface ManagerLinkOptions {
	config: WorkerConfig;
	/** Where this worker is a thread. */
	thread: ThreadEnd | undefined;
	/** The channel has closed, and every pending request was settled. */
	onClosed(): void;
}

/** Opens the peer on the worker's channel. */
export function openManagerLink({ config, thread, onClosed }: ManagerLinkOptions): ManagerPeer {
	const limits = { maxHeapBytes: maxSentHeapBytes };
	const open = (port: Port): ManagerPeer => new Peer({ port, epoch: config.epoch, limits });
	if (!thread) return openOnProcess(open, onClosed);
	const port = threadPort(thread);
	// After the peer's own, which settles what is pending.
	return open({
		...port,
		onClose: (listener) =>
			port.onClose(() => {
				listener();
				onClosed();
			}),
	});
}

/**
 * Opens the peer on this process's IPC channel.
 *
 * Node emits `message` and `disconnect` through `process.emit`, so that is where they are read. It holds messages back while
 * `process.listenerCount('message')` is 0, so that is never 0 here. With no listener of ours Node's own accounting is right: the
 * channel keeps the process alive exactly while the bot listens to it, and a bot that has nothing left to do ends.
 */
function openOnProcess(open: (port: Port) => ManagerPeer, onClosed: () => void): ManagerPeer {
	const frameListeners: ((message: unknown) => void)[] = [];
	const closeListeners: (() => void)[] = [];
	// A bot may replace it.
	const send = process.send?.bind(process);
	const end: IpcEnd = {
		send: (message, done) => send?.(message, undefined, undefined, done) ?? false,
		on: (event: 'message' | 'disconnect', listener: (message: unknown) => void) => {
			if (event === 'message') frameListeners.push(listener);
			else closeListeners.push(() => listener(undefined));
		},
	};

	const { emit, listenerCount, disconnect } = process;
	// A bot that closes the channel would end as one whose manager is gone. Node calls it as well, once the manager is gone.
	replace('disconnect', function disconnectByNode() {
		const caller = String(new Error('where it is called').stack).split('\n')[2];
		if (caller === undefined || caller.includes('node:internal/')) disconnect.call(process);
	});
	replace('emit', function emitWithoutFrames(this: NodeJS.Process, event: string, ...args: unknown[]): boolean {
		if (event === 'message' && isFrame(args[0])) {
			for (const listener of frameListeners) listener(args[0]);
			return true;
		}
		const heard = Reflect.apply(emit, this, [event, ...args]) as boolean;
		if (event === 'disconnect') for (const listener of closeListeners.splice(0)) listener();
		return heard;
	});
	replace('listenerCount', function atLeastOne(this: NodeJS.Process, event: string, ...args: unknown[]): number {
		const count = Reflect.apply(listenerCount, this, [event, ...args]) as number;
		return event === 'message' ? Math.max(1, count) : count;
	});
	const peer = open(ipcPort(end));
	// After the peer's own, which settles what is pending.
	closeListeners.push(onClosed);
	return peer;
}

/** Replaces a method of `process`, as invisibly as it can be. */
function replace(
	name: 'emit' | 'listenerCount' | 'disconnect',
	value: (this: NodeJS.Process, event: string, ...args: unknown[]) => unknown,
): void {
	Object.defineProperty(process, name, { value, configurable: true, writable: true });
}
