// Transport compression `zstd-stream`: one zstd frame for the whole connection that never ends, flushed after each payload.
// Discord: Gateway, "Transport Compression". Node has zstd from 22.15 on; before that the payloads are stored, not squeezed.
import zlib from 'node:zlib';
import { ZstdCompress } from 'minizlib';
import type { FrameCodec } from './codec.js';
import { StoredZstd } from './zstd-stored.js';

/** `ZSTD_e_flush`, which the types of Node 20 do not know. */
const flushBlock = 1;
const nodeHasZstd = 'createZstdCompress' in zlib;

export function zstdStreamCodec(): FrameCodec {
	return nodeHasZstd ? compressingCodec() : storingCodec();
}

function compressingCodec(): FrameCodec {
	const zstd = new ZstdCompress({ flush: flushBlock });
	let pieces: Buffer[] = [];
	zstd.on('data', (piece) => pieces.push(piece));
	return {
		encode: (frame) => {
			zstd.write(Buffer.from(frame));
			const message = Buffer.concat(pieces);
			pieces = [];
			return message;
		},
		dispose: () => zstd.close(),
	};
}

function storingCodec(): FrameCodec {
	const zstd = new StoredZstd();
	return { encode: (frame) => zstd.write(Buffer.from(frame)), dispose: () => {} };
}
