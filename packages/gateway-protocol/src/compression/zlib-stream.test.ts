import { expect, it } from 'vitest';
import { encodeAll, frames, inflateStream } from '../../test/decoders.js';
import { zlibStreamCodec } from './zlib-stream.js';

it('ends each message with 00 00 FF FF, and compresses all of them in one context', async () => {
	const messages = encodeAll(zlibStreamCodec(), frames);
	for (const message of messages) expect(message.subarray(-4)).toEqual(Buffer.from([0, 0, 0xff, 0xff]));
	expect(await inflateStream(messages)).toEqual(frames);
});

it('has its own context for each connection', () => {
	const one = encodeAll(zlibStreamCodec(), ['{"same":"text"}', '{"same":"text"}']);
	const [first] = encodeAll(zlibStreamCodec(), ['{"same":"text"}']);
	expect(first).toEqual(one[0]);
	expect(one[1]?.length).toBeLessThan(one[0]?.length ?? 0);
});
