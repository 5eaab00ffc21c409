import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EncodedDispatch, RebuiltDispatch } from './dispatch.js';

test('a frame is the JSON of its event with the number of the session in it', () => {
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

test('a rebuilt dispatch is made anew for each frame and holds next to nothing', () => {
	let made = 0;
	const dispatch = new RebuiltDispatch('GUILD_CREATE', () => ({ made: ++made }));
	expect([dispatch.frame(1), dispatch.frame(2)].map((frame) => JSON.parse(frame))).toMatchObject([
		{ t: 'GUILD_CREATE', s: 1, d: { made: 1 } },
		{ t: 'GUILD_CREATE', s: 2, d: { made: 2 } },
	]);
	expect(dispatch.sizeBytes).toBeLessThan(200);
});
