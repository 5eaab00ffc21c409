// This process's end of the channel to its manager. Frames of ours are taken out before the bot sees them, and everything
// else passes: `process.on('message')` and `process.send` stay the bot's own.
import type { ManagerEvents, ManagerMethods, WorkerConfig, WorkerEvents, WorkerMethods } from '@shardctl/core';
import { type IpcEnd, ipcPort, isFrame, Peer } from '@shardctl/rpc';

export type ManagerPeer = Peer<WorkerMethods, ManagerMethods, WorkerEvents, ManagerEvents>;

/**
 * Opens the peer on this process's IPC channel.
 *
 * `onClosed` is told when the channel closes, after every pending request was settled.
 *
 * Node keeps IPC messages back until somebody listens for `message`, and a listener keeps the process alive. So this listens
 * itself and hands the liveness back: a bot that has nothing left to do ends under a manager as it ends without one.
 */
export function openManagerLink(config: WorkerConfig, onClosed: () => void): ManagerPeer {
	const frameListeners: ((message: unknown) => void)[] = [];
	const end: IpcEnd = {
		send: (message, done) => process.send?.(message, undefined, undefined, done) ?? false,
		on: (event: 'message' | 'disconnect', listener: (message: unknown) => void) => {
			if (event === 'message') frameListeners.push(listener);
			else process.once('disconnect', () => listener(undefined));
		},
	};

	const emit = process.emit;
	process.emit = function emitWithoutFrames(this: NodeJS.Process, event: string, ...args: unknown[]): boolean {
		if (event === 'message' && isFrame(args[0])) {
			for (const listener of frameListeners) listener(args[0]);
			return true;
		}
		return Reflect.apply(emit, this, [event, ...args]) as boolean;
	} as typeof process.emit;
	const peer: ManagerPeer = new Peer({ port: ipcPort(end), epoch: config.epoch });
	process.once('disconnect', onClosed);
	// Last: the listeners above are ours, and must not count as the bot's.
	keepChannelOpenWithoutKeepingAlive();
	return peer;
}

function keepChannelOpenWithoutKeepingAlive(): void {
	process.on('message', () => {});
	process.channel?.unref();
	// An explicit unref() ends Node's own counting, so the bot's listeners are counted here instead.
	const counted = new Set(['message', 'disconnect']);
	let botListeners = 0;
	process.on('newListener', (event: string) => {
		if (counted.has(event) && botListeners++ === 0) process.channel?.ref();
	});
	process.on('removeListener', (event: string) => {
		if (counted.has(event) && --botListeners === 0) process.channel?.unref();
	});
}
