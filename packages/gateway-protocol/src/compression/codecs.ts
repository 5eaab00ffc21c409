// Which codec a connection starts with.
import { type FrameCodec, plainCodec, type TransportCompression } from './codec.js';
import { zlibStreamCodec } from './zlib-stream.js';
import { zstdStreamCodec } from './zstd-stream.js';

/** The codec for what the client asked for in the URL. */
export function codecFor(compression: TransportCompression): FrameCodec {
	switch (compression) {
		case 'none':
			return plainCodec;
		case 'zlib-stream':
			return zlibStreamCodec();
		case 'zstd-stream':
			return zstdStreamCodec();
	}
}
