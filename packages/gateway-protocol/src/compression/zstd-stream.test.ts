import { expect, it } from 'vitest';
import { encodeAll, frames, unzstd } from '../../test/decoders.js';
import { zstdStreamCodec } from './zstd-stream.js';

it('writes one unfinished frame, from which each message can be decoded at once', () => {
	expect(unzstd(encodeAll(zstdStreamCodec(), frames))).toEqual(frames);
});
