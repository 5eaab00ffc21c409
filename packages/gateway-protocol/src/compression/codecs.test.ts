import { expect, it } from 'vitest';
import { encodeAll, frames, inflateStream, unzstd } from '../../test/decoders.js';
import { codecFor } from './codecs.js';

it('gives a connection the codec it asked for', async () => {
	expect(encodeAll(codecFor('none'), frames).map(String)).toEqual(frames);
	expect(await inflateStream(encodeAll(codecFor('zlib-stream'), frames))).toEqual(frames);
	expect(unzstd(encodeAll(codecFor('zstd-stream'), frames))).toEqual(frames);
});

it('leaves plain text unchanged', () => {
	expect(codecFor('none').encode('{"op":10}')).toBe('{"op":10}');
});
