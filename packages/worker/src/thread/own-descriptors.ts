// Redirects what a thread writes to the descriptors 1 and 2, as pino does, to the thread's own output: the descriptors are the whole process's.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

type Written = string | NodeJS.ArrayBufferView;
type Done = (error: Error | null, bytes: number, written: Written) => void;

export function redirectDescriptors(): void {
	const { write, writeSync } = fs;
	fs.writeSync = function writeSyncToOwn(fd: number, data: Written, ...rest: unknown[]): number {
		const stream = ownStream(fd);
		if (!stream) return Reflect.apply(writeSync, fs, [fd, data, ...rest]) as number;
		const bytes = bytesOf(data, rest);
		stream.write(bytes);
		return bytes.length;
	} as typeof fs.writeSync;
	const writeToOwn = function writeToOwn(fd: number, data: Written, ...rest: unknown[]): void {
		const done = rest.at(-1);
		const stream = typeof done === 'function' ? ownStream(fd) : undefined;
		if (!stream) {
			Reflect.apply(write, fs, [fd, data, ...rest]);
			return;
		}
		const bytes = bytesOf(data, rest);
		stream.write(bytes, (error) => (done as Done)(error ?? null, error ? 0 : bytes.length, data));
	} as unknown as typeof fs.write;
	// What `promisify` reads of it.
	fs.write = Object.defineProperties(writeToOwn, Object.getOwnPropertyDescriptors(write));
	syncBuiltinESMExports();
}

function ownStream(fd: number): NodeJS.WriteStream | undefined {
	if (fd === 1) return process.stdout;
	return fd === 2 ? process.stderr : undefined;
}

/** Of `(text, position, encoding)`, `(buffer, offset, length)` and `(buffer, { offset, length })`: a copy, because the buffer may be used again. */
function bytesOf(data: Written, [first, second]: unknown[]): Buffer {
	if (typeof data === 'string') {
		const encoding = [first, second].find((value) => typeof value === 'string' && Buffer.isEncoding(value));
		return Buffer.from(data, encoding as BufferEncoding | undefined);
	}
	const range = typeof first === 'object' && first !== null ? (first as { offset?: number; length?: number }) : undefined;
	const offset = range ? (range.offset ?? 0) : numberOr(first, 0);
	const length = range ? (range.length ?? data.byteLength - offset) : numberOr(second, data.byteLength - offset);
	// The memory around the buffer may belong to others.
	checkRange('offset', offset, data.byteLength);
	checkRange('length', length, data.byteLength - offset);
	return Buffer.from(Buffer.from(data.buffer, data.byteOffset + offset, length));
}

/** Throws as Node does for a range outside the buffer. */
function checkRange(name: string, value: number, most: number): void {
	if (Number.isInteger(value) && value >= 0 && value <= most) return;
	const message = `The value of "${name}" is out of range. It must be >= 0 && <= ${most}. Received ${value}`;
	throw Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' });
}

function numberOr(value: unknown, otherwise: number): number {
	return typeof value === 'number' ? value : otherwise;
}
