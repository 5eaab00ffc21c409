// A port on Node's IPC channel between a parent and the child it forked. Messages without our mark are the bot's: they are
// neither read nor held back here. It never connects or disconnects the channel.
import { isFrame } from './frames.js';
import type { Port } from './port.js';

/** What `ChildProcess` (in the parent) and `process` (in the child) have in common. */
export interface IpcEnd {
	send?: ((message: never, callback: (error: Error | null) => void) => boolean) | undefined;
	readonly connected?: boolean | undefined;
	on(event: 'message', listener: (message: unknown) => void): unknown;
	on(event: 'disconnect', listener: () => void): unknown;
}

/**
 * A port on `process` or on a forked child. Each one adds a `message` and a `disconnect` listener for the life of the process,
 * so make one per channel. In a child those listeners keep the event loop alive for as long as the channel is open.
 *
 * `onOther` receives the messages without our mark: a second listener would make every message cost more.
 */
export function ipcPort(end: IpcEnd, onOther?: (message: unknown) => void): Port {
	return {
		send(message, done) {
			// Node throws here when there never was a channel, so that case is answered like a channel that has closed.
			if (!end.send) {
				process.nextTick(done, new Error('this process has no IPC channel'));
				return false;
			}
			// With a callback Node hands ERR_IPC_CHANNEL_CLOSED to it; without one it emits an `error` that ends the process.
			return end.send(message as never, done);
		},
		onMessage(listener) {
			end.on('message', (message) => {
				if (isFrame(message)) listener(message);
				else onOther?.(message);
			});
		},
		onClose(listener) {
			let closed = false;
			const close = () => {
				if (closed) return;
				closed = true;
				listener();
			};
			end.on('disconnect', close);
			if (end.connected === false || !end.send) process.nextTick(close);
		},
	};
}
