// Payload compression (`compress: true` in IDENTIFY): each packet that is worth it is a zlib document of its own.
// Discord: Gateway, "Payload Compression" (which packets is not documented: the larger ones).
import { deflateSync } from 'node:zlib';
import type { FrameCodec } from './codec.js';

const worthwhileLength = 1024;

export const payloadCodec: FrameCodec = {
	encode: (frame) => (frame.length < worthwhileLength ? frame : deflateSync(frame)),
	dispose: () => {},
};
