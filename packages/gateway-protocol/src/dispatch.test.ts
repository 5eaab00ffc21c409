import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EncodedDispatch, RebuiltDispatch } from './dispatch.js';

test("a frame is the JSON of its event with the session's sequence number", () => {
	fc.assert(
		fc.property(fc.string(), fc.jsonValue(), fc.nat(), (type, data, seq) => {
			const normal: unknown = JSON.parse(JSON.stringify(data));
			expect(JSON.parse(EncodedDispatch.of(type, data).frame(seq))).toEqual({ op: 0, s: seq, t: type, d: normal });
			expect(JSON.parse(EncodedDispatch.fromJson(type, JSON.stringify(data)).frame(seq))).toEqual({
				op: 0,
				s: seq,
				t: type,
				d: normal,
			});
		}),
	);
});

test.each([
	['as Discord sends it', '{"t":"TYPE_A","s":5,"op":0,"d":{"d":{},"s":1}}'],
	['with the opcode first', '{"op":0,"s":5,"t":"TYPE_A","d":{"d":{},"s":1}}'],
	['without a number', '{"t":"TYPE_A","s":null,"op":0,"d":{"d":{},"s":1}}'],
	['with the number last', '{"t":"TYPE_A","op":0,"d":{"d":{},"s":1},"s":5}'],
	['with the data first', '{"d":{"d":{},"s":1},"t":"TYPE_A","s":5,"op":0}'],
	['with a key of tomorrow before the data', '{"t":"TYPE_A","x":{"d":1},"s":5,"op":0,"d":{"d":{},"s":1}}'],
	['with a key of tomorrow behind the data', '{"t":"TYPE_A","s":5,"op":0,"d":{"d":{},"s":1},"x":1}'],
	['with blanks', ' {"t": "TYPE_A","s":5,"op":0,"d":{"d":{},"s":1} }\n'],
])('forwards a received frame with another sequence number: %s', (_, frame) => {
	const received = JSON.parse(frame) as { t: string; s: number; d: unknown };
	const dispatch = EncodedDispatch.fromFrame(frame, received);
	for (const seq of [9, 5, 55]) {
		const sent: unknown = JSON.parse(dispatch.frame(seq));
		expect(sent).toMatchObject({ op: 0, s: seq, t: 'TYPE_A', d: { d: {}, s: 1 } });
		expect(sent).toHaveProperty('d', received.d);
	}
});

test('forwards a received frame with its own number as it is', () => {
	const frame = '{"t":"TYPE_A","s":5,"op":0,"d":{"x": [1 ]}}';
	const dispatch = EncodedDispatch.fromFrame(frame, JSON.parse(frame));
	expect([dispatch.frame(5), dispatch.sizeBytes]).toEqual([frame, frame.length - 1]);
	expect(dispatch.frame(12)).toBe(frame.replace('5', '12'));
});

test('a rebuilt dispatch is encoded for each frame, and retains almost nothing', () => {
	let made = 0;
	const dispatch = new RebuiltDispatch('GUILD_CREATE', () => ({ made: ++made }));
	expect([dispatch.frame(1), dispatch.frame(2)].map((frame) => JSON.parse(frame))).toMatchObject([
		{ t: 'GUILD_CREATE', s: 1, d: { made: 1 } },
		{ t: 'GUILD_CREATE', s: 2, d: { made: 2 } },
	]);
	expect(dispatch.sizeBytes).toBeLessThan(200);
});

test('the data alone is as Discord sent it, also where the frame has another form', () => {
	const data = '{"content":"\\u00e9 }","n":1}';
	const parsed = { t: 'MESSAGE_CREATE', d: JSON.parse(data) };
	expect(EncodedDispatch.fromFrame(`{"t":"MESSAGE_CREATE","s":12,"op":0,"d":${data}}`, parsed).dataJson).toBe(data);
	expect(EncodedDispatch.fromFrame(`{"op":0,"s":12,"t":"MESSAGE_CREATE","d":${data}}`, parsed).dataJson).toBe(
		JSON.stringify(parsed.d),
	);
	expect(EncodedDispatch.fromFrame(`{"t":"MESSAGE_CREATE","s":12,"d":${data},"op":0}`, parsed).dataJson).toBe(
		JSON.stringify(parsed.d),
	);
	expect(EncodedDispatch.of('A', { a: [1] }).dataJson).toBe('{"a":[1]}');
});
