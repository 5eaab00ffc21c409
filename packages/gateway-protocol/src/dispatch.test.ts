import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EncodedDispatch } from './dispatch.js';

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
