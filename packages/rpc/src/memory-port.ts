// Two ports joined in memory, for tests: as strict as the real channel (a JSON round trip, nothing delivered before the sender
// has returned, nothing after the end), and without processes.
import type { Port } from './port.js';

/** A port that a test can close; both ends are notified. */
export interface MemoryPort extends Port {
	/** Ends the channel for both sides. Messages on their way are lost, as when a process is killed. */
	close(): void;
}

export interface MemoryPortOptions {
	/** Runs a delivery later (default: a microtask). A test that wants to choose the order of things passes its own queue. */
	deliver?: (task: () => void) => void;
	/** How many undelivered messages make `send` return false (default: no bound). */
	highWaterMark?: number;
}

/** Makes a channel in memory and returns its two ends. */
export function memoryPortPair(options: MemoryPortOptions = {}): [MemoryPort, MemoryPort] {
	const { deliver = queueMicrotask, highWaterMark = Number.POSITIVE_INFINITY } = options;
	const closeListeners: (() => void)[] = [];
	let open = true;

	const close = () => {
		if (!open) return;
		open = false;
		for (const listener of closeListeners) deliver(listener);
	};

	const end = (own: ((message: unknown) => void)[], other: ((message: unknown) => void)[]): MemoryPort => {
		let waiting = 0;
		return {
			send(message, done) {
				const text = JSON.stringify(message);
				waiting++;
				deliver(() => {
					waiting--;
					done(open ? null : new Error('the channel is closed'));
					if (!open) return;
					for (const listener of other) listener(JSON.parse(text));
				});
				return waiting < highWaterMark;
			},
			onMessage(listener) {
				own.push(listener);
			},
			onClose(listener) {
				if (open) closeListeners.push(listener);
				else deliver(listener);
			},
			close,
		};
	};
	const left: ((message: unknown) => void)[] = [];
	const right: ((message: unknown) => void)[] = [];
	return [end(left, right), end(right, left)];
}
