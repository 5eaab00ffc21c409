// Every codec against its decoder: what comes out is what went in, message by message, whatever was sent before.
import { constants, createInflate, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { Decompress } from 'fzstd';
import { expect, test } from 'vitest';
import type { FrameCodec } from './codec.js';
import { codecFor } from './codecs.js';
import { payloadCodec } from './payload.js';
import { StoredZstd } from './zstd-stored.js';

const frames = ['{"op":10}', `{"op":0,"d":"${'ä€🦊x'.repeat(90_000)}"}`, '', '{"op":11}'].filter(Boolean);

function encodeAll(codec: FrameCodec, list: readonly string[]): Buffer[] {
	const messages = list.map((frame) => Buffer.from(codec.encode(frame)));
	codec.dispose();
	return messages;
}

async function inflateStream(messages: readonly Buffer[]): Promise<string[]> {
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

function unzstd(messages: readonly Buffer[]): string[] {
	let pieces: Uint8Array[] = [];
	const zstd = new Decompress((piece) => pieces.push(piece));
	return messages.map((message) => {
		pieces = [];
		zstd.push(new Uint8Array(message));
		return Buffer.concat(pieces).toString();
	});
}

test('plain text is left alone', () => {
	expect(codecFor('none').encode('{"op":10}')).toBe('{"op":10}');
});

test('each zlib-stream message ends with 00 00 FF FF and inflates to its frame in one shared context', async () => {
	const messages = encodeAll(codecFor('zlib-stream'), frames);
	for (const message of messages) expect(message.subarray(-4)).toEqual(Buffer.from([0, 0, 0xff, 0xff]));
	expect(await inflateStream(messages)).toEqual(frames);
});

test('two zlib-stream connections do not share a context', () => {
	const one = encodeAll(codecFor('zlib-stream'), ['{"same":"text"}', '{"same":"text"}']);
	const [first] = encodeAll(codecFor('zlib-stream'), ['{"same":"text"}']);
	expect(first).toEqual(one[0]);
	expect(one[1]?.length).toBeLessThan(one[0]?.length ?? 0);
});

test('zstd-stream messages decode to their frames in one frame that never ends', () => {
	expect(unzstd(encodeAll(codecFor('zstd-stream'), frames))).toEqual(frames);
});

test('stored zstd decodes to whatever was written', () => {
	const payloads = fc.array(fc.uint8Array({ minLength: 20, maxLength: 400 }), { minLength: 1, maxLength: 8 });
	fc.assert(
		fc.property(payloads, (list) => {
			const zstd = new StoredZstd();
			const decoded = unzstd(list.map((payload) => zstd.write(Buffer.from(payload))));
			expect(decoded).toEqual(list.map((payload) => Buffer.from(payload).toString()));
		}),
		{ numRuns: 30 },
	);
	const large = 'x'.repeat(300 * 1024);
	expect(unzstd([new StoredZstd().write(Buffer.from(large))])).toEqual([large]);
});

test('payload compression makes large packets zlib documents of their own and leaves small ones as text', () => {
	const large = JSON.stringify({ op: 0, d: 'x'.repeat(5000) });
	expect(payloadCodec.encode('{"op":11}')).toBe('{"op":11}');
	expect(inflateSync(payloadCodec.encode(large)).toString()).toBe(large);
	expect(inflateSync(payloadCodec.encode(large)).toString()).toBe(large);
});
