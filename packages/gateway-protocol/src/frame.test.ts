import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeClientFrame, encodeControl, maxClientFrameBytes } from './frame.js';

const bytes = (text: string) => Buffer.from(text);

test('reads a frame of 4096 bytes, and closes with 4002 for one of 4097', () => {
	const frame = (size: number) => bytes(`{"op":1,"d":null${' '.repeat(size - 17)}}`);
	expect(frame(maxClientFrameBytes)).toHaveLength(4096);
	expect(decodeClientFrame(frame(4096), false)).toEqual({ op: 1, d: null });
	expect(decodeClientFrame(frame(4097), false)).toMatchObject({ close: 4002 });
});

test.each([
	['not JSON', '{"op":', 4002],
	['no object', '[1]', 4002],
	['null', 'null', 4002],
	['a number', '1', 4002],
	['no op', '{}', 4001],
	['an unknown op', '{"op":99}', 4001],
	['an op of the server', '{"op":10}', 4001],
	['an op as text', '{"op":"1"}', 4001],
	['half an op', '{"op":1.5}', 4001],
])('closes %s with its code', (_, text, close) => {
	expect(decodeClientFrame(bytes(text), false)).toMatchObject({ close });
});

test('closes binary frames and invalid UTF-8 with 4002', () => {
	expect(decodeClientFrame(bytes('{"op":1}'), true)).toMatchObject({ close: 4002 });
	expect(decodeClientFrame(Buffer.from([0x22, 0xff, 0x22]), false)).toMatchObject({ close: 4002 });
});

test('never throws, for any input', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 5000 }), fc.boolean(), (data, binary) => {
			const decoded = decodeClientFrame(data, binary);
			expect('close' in decoded || typeof decoded.op === 'number').toBe(true);
		}),
	);
});

test('frames without an event have null for s and t', () => {
	expect(JSON.parse(encodeControl(9, false))).toEqual({ op: 9, d: false, s: null, t: null });
});
