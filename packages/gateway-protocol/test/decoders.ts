// Decodes compressed messages as a client does, with its own decoders: each message becomes the text it carries.
import { constants, createInflate } from 'node:zlib';
import { Decompress } from 'fzstd';
import type { FrameCodec } from '../src/compression/codec.js';

/** Frames of a connection: small, larger than any block, with characters of several bytes. */
export const frames = ['{"op":10}', `{"op":0,"d":"${'ä€🦊x'.repeat(90_000)}"}`, '{"op":11}'];

export function encodeAll(codec: FrameCodec, list: readonly string[]): Buffer[] {
	const messages = list.map((frame) => Buffer.from(codec.encode(frame)));
	codec.dispose();
	return messages;
}

/** Messages of one `zlib-stream` connection. */
export async function inflateStream(messages: readonly Buffer[]): Promise<string[]> {
	const inflate = createInflate({ flush: constants.Z_SYNC_FLUSH, chunkSize: 1024 * 1024 });
	const out: string[] = [];
	for (const message of messages) {
		const pieces: Buffer[] = [];
		const collect = (piece: Buffer) => pieces.push(piece);
		inflate.on('data', collect);
		await new Promise((resolve) => inflate.write(message, resolve));
		inflate.off('data', collect);
		out.push(Buffer.concat(pieces).toString());
	}
	inflate.close();
	return out;
}

/** Messages of one `zstd-stream` connection. */
export function unzstd(messages: readonly Buffer[]): string[] {
	let pieces: Uint8Array[] = [];
	const zstd = new Decompress((piece) => pieces.push(piece));
	return messages.map((message) => {
		pieces = [];
		zstd.push(new Uint8Array(message));
		return Buffer.concat(pieces).toString();
	});
}
