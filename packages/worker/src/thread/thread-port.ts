// The channel of a worker that is a thread: a port to the main thread of its process, which passes frames on to the manager. It is no port
// of the bot's, whose `parentPort` carries the bot's own messages only.
import type { ThreadEnd } from '@shardctl/core';
import type { Port } from '@shardctl/rpc';

/** Messages that may be on their way to the manager before the sender waits. */
const maxOnTheWay = 16;

/** A port that keeps the thread alive only while something that it sent is on its way. */
export function threadPort({ port }: Pick<ThreadEnd, 'port'>): Port {
	const onTheWay: ((error: Error | null) => void)[] = [];
	let open = true;
	let receive: (message: unknown) => void = () => {};
	let closed = () => {};
	const settle = (error: Error | null) => {
		const done = onTheWay.shift();
		if (onTheWay.length === 0) port.unref();
		done?.(error);
	};
	// A list holds a message; what is none says what became of the oldest message on its way.
	port.on('message', (received: [message: unknown] | string | null) => {
		if (Array.isArray(received)) receive(received[0]);
		else settle(received === null ? null : new Error(received));
	});
	port.on('close', () => {
		open = false;
		while (onTheWay.length > 0) settle(new Error('the channel to the manager is closed'));
		closed();
	});
	port.unref();
	return {
		send(message, done) {
			if (!open) {
				process.nextTick(done, new Error('the channel to the manager is closed'));
				return false;
			}
			port.postMessage(message);
			if (onTheWay.length === 0) port.ref();
			onTheWay.push(done);
			return onTheWay.length < maxOnTheWay;
		},
		onMessage(listener) {
			receive = listener;
		},
		onClose(listener) {
			closed = listener;
			if (!open) process.nextTick(listener);
		},
	};
}
