// A FrameTransport on a WebSocket of the `ws` package: applies the codec, writes what one tick produces in one go, and drops a
// client that reads too slowly.
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { type FrameCodec, plainCodec } from './compression/codec.js';
import { payloadCodec } from './compression/payload.js';
import type { FrameTransport } from './transport.js';

export interface WebSocketTransportOptions {
	webSocket: WebSocket;
	/** The socket under it. */
	socket: Duplex;
	codec: FrameCodec;
	/** Bytes that may wait for a slow client before it is dropped. */
	maxQueuedBytes: number;
	/** The client was dropped for reading too slowly. */
	onOverflow: () => void;
}

export class WebSocketTransport implements FrameTransport {
	readonly #webSocket: WebSocket;
	readonly #socket: Duplex;
	readonly #maxQueuedBytes: number;
	readonly #onOverflow: () => void;
	#codec: FrameCodec;
	#corked = false;

	constructor({ webSocket, socket, codec, maxQueuedBytes, onOverflow }: WebSocketTransportOptions) {
		this.#webSocket = webSocket;
		this.#socket = socket;
		this.#codec = codec;
		this.#maxQueuedBytes = maxQueuedBytes;
		this.#onOverflow = onOverflow;
	}

	send(frame: string): void {
		if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
		this.#cork();
		const message = this.#codec.encode(frame);
		this.#webSocket.send(message, { binary: typeof message !== 'string' });
		if (this.#webSocket.bufferedAmount > this.#maxQueuedBytes) this.#onOverflow();
	}

	close(code: number, reason: string): void {
		this.#webSocket.close(code, reason);
	}

	terminate(): void {
		this.#webSocket.terminate();
	}

	/** From the next frame on, larger packets are compressed one by one; nothing changes where the transport compresses already. */
	enablePayloadCompression(): void {
		if (this.#codec === plainCodec) this.#codec = payloadCodec;
	}

	dispose(): void {
		this.#codec.dispose();
	}

	// Frames of one tick leave in one system call instead of one each.
	#cork(): void {
		if (this.#corked) return;
		this.#corked = true;
		this.#socket.cork();
		process.nextTick(() => {
			this.#corked = false;
			this.#socket.uncork();
		});
	}
}
