// Transport compression `zlib-stream`: one deflate context for the whole connection, flushed after each payload, so that each
// message ends with 00 00 FF FF. Discord: Gateway, "Transport Compression".
// minizlib drives Node's own zlib synchronously; through Node's streams a small message costs over ten times as much.
import { constants } from 'node:zlib';
import { Deflate } from 'minizlib';
import type { FrameCodec } from './codec.js';

export function zlibStreamCodec(): FrameCodec {
	const deflate = new Deflate({ flush: constants.Z_SYNC_FLUSH });
	let pieces: Buffer[] = [];
	deflate.on('data', (piece) => pieces.push(piece));
	return {
		encode: (frame) => {
			deflate.write(Buffer.from(frame));
			const message = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
			pieces = [];
			return message;
		},
		dispose: () => deflate.close(),
	};
}
