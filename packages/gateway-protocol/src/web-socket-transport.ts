// A FrameTransport on a WebSocket of the `ws` package: applies the codec, writes what one tick produces in one go (past `ws`,
// which knows only one message at a time), and drops a client that reads too slowly.
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { type FrameCodec, plainCodec } from './compression/codec.js';
import { payloadCodec } from './compression/payload.js';
import { FrameBatch } from './frame-batch.js';
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
	readonly #batch = new FrameBatch();

	constructor({ webSocket, socket, codec, maxQueuedBytes, onOverflow }: WebSocketTransportOptions) {
		this.#webSocket = webSocket;
		this.#socket = socket;
		this.#codec = codec;
		this.#maxQueuedBytes = maxQueuedBytes;
		this.#onOverflow = onOverflow;
	}

	send(frame: string): void {
		if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
		if (this.#batch.isEmpty) process.nextTick(() => this.#flush());
		this.#batch.push(this.#codec.encode(frame));
	}

	close(code: number, reason: string): void {
		this.#flush();
		this.#webSocket.close(code, reason);
	}

	terminate(): void {
		this.#batch.clear();
		this.#webSocket.terminate();
	}

	/** From the next frame on, larger packets are compressed one by one; nothing changes where the transport compresses already. */
	enablePayloadCompression(): void {
		if (this.#codec === plainCodec) this.#codec = payloadCodec;
	}

	dispose(): void {
		this.#codec.dispose();
	}

	#flush(): void {
		if (this.#batch.isEmpty) return;
		const bytes = this.#batch.take();
		if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
		this.#socket.write(bytes);
		if (this.#webSocket.bufferedAmount > this.#maxQueuedBytes) this.#onOverflow();
	}
}
