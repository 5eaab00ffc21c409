// Transport compression `zlib-stream`: one deflate context for the whole connection, flushed after each payload, so that each
// message ends with 00 00 FF FF. Discord: Gateway, "Transport Compression".
import type { FrameCodec } from './codec.js';
import { synchronousDeflate } from './synchronous-zlib.js';

export function zlibStreamCodec(): FrameCodec {
	const deflate = synchronousDeflate();
	return {
		encode: (frame) => Buffer.from(deflate.write(Buffer.from(frame))),
		dispose: () => deflate.close(),
	};
}
