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
	const { t, d } = JSON.parse(frame) as { t: string; d: unknown };
	const sent: unknown = JSON.parse(EncodedDispatch.fromFrame(frame, { t, d }).frame(9));
	expect(sent).toMatchObject({ op: 0, s: 9, t: 'TYPE_A', d: { d: {}, s: 1 } });
	expect(sent).toHaveProperty('d', d);
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
