// One zlib context, driven synchronously and piece by piece. Results that come later would mix messages of a closed connection with those of
// the next, and through Node's streams a small message takes 35 µs.
// Node has synchronous functions for whole documents only. They use the handle of a stream, and so does this: 0.9 µs for a small message.
// Where a version of Node has no such handle, minizlib is used, which takes 2.8 µs.
import { constants, createDeflate, createInflate } from 'node:zlib';
import { Deflate, Inflate } from 'minizlib';

/** Gives out everything that it can after each piece (`Z_SYNC_FLUSH`). */
export interface SynchronousZlib {
	/** @returns bytes that are valid until the next call. Throws when the data is broken, from then on at each call. */
	write(data: Uint8Array): Buffer;
	close(): void;
}

export function synchronousInflate(): SynchronousZlib {
	const stream = createInflate();
	return HandleZlib.fits(stream) ? new HandleZlib(stream) : new MinizlibZlib(new Inflate({ flush: constants.Z_SYNC_FLUSH }));
}

export function synchronousDeflate(): SynchronousZlib {
	const stream = createDeflate();
	return HandleZlib.fits(stream) ? new HandleZlib(stream) : new MinizlibZlib(new Deflate({ flush: constants.Z_SYNC_FLUSH }));
}

/** What Node's zlib streams have, the same in Node 20 to 26. */
interface StreamWithHandle {
	readonly _handle: {
		writeSync(
			...args: [flush: number, input: Uint8Array, at: number, length: number, output: Uint8Array, at: number, length: number]
		): void;
		onerror(message: string): void;
	};
	/** Bytes of the output that are left, and of the input. */
	readonly _writeState: Uint32Array;
	close(): void;
}

/** A larger output is not kept. */
const keptBytes = 64 * 1024;

/** Exported for its test. */
export class HandleZlib implements SynchronousZlib {
	readonly #stream: StreamWithHandle;
	#output = Buffer.allocUnsafeSlow(keptBytes);
	#error: Error | undefined;

	constructor(stream: StreamWithHandle) {
		this.#stream = stream;
		stream._handle.onerror = (message) => {
			this.#error = new Error(message);
		};
	}

	static fits(stream: object): stream is StreamWithHandle {
		const { _handle: handle, _writeState: state } = stream as Partial<StreamWithHandle>;
		return typeof handle?.writeSync === 'function' && state instanceof Uint32Array;
	}

	write(data: Uint8Array): Buffer {
		const { _handle: handle, _writeState: state } = this.#stream;
		if (this.#output.length > keptBytes) this.#output = Buffer.allocUnsafeSlow(keptBytes);
		let read = 0;
		let written = 0;
		for (;;) {
			const free = this.#output.length - written;
			if (!this.#error) handle.writeSync(constants.Z_SYNC_FLUSH, data, read, data.length - read, this.#output, written, free);
			if (this.#error) throw this.#error;
			const [outputLeft, inputLeft] = state as unknown as [number, number];
			read = data.length - inputLeft;
			written = this.#output.length - outputLeft;
			if (outputLeft > 0) break;
			const larger = Buffer.allocUnsafeSlow(2 * this.#output.length);
			this.#output.copy(larger);
			this.#output = larger;
		}
		if (read < data.length) throw this.#fail('there is data behind the end of the stream');
		return this.#output.subarray(0, written);
	}

	close(): void {
		this.#stream.close();
	}

	#fail(message: string): Error {
		this.#error = new Error(message);
		return this.#error;
	}
}

/** Exported for its test. */
export class MinizlibZlib implements SynchronousZlib {
	readonly #zlib: Inflate | Deflate;
	#pieces: Buffer[] = [];
	#error: Error | undefined;

	constructor(zlib: Inflate | Deflate) {
		this.#zlib = zlib;
		zlib.on('data', (piece) => this.#pieces.push(piece));
		zlib.on('error', (error) => {
			this.#error ??= error as Error;
		});
	}

	write(data: Uint8Array): Buffer {
		this.#zlib.write(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
		if (this.#error) throw this.#error;
		return Buffer.concat(this.#pieces.splice(0));
	}

	close(): void {
		this.#zlib.close();
	}
}
