// How frames become WebSocket messages on one connection. A codec is synchronous and keeps the order; it owns its context.

export interface FrameCodec {
	encode(frame: string): string | Buffer;
	dispose(): void;
}

export type TransportCompression = 'none' | 'zlib-stream' | 'zstd-stream';

/** JSON text as it is. */
export const plainCodec: FrameCodec = { encode: (frame) => frame, dispose: () => {} };
