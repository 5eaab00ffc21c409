import { expect, it } from 'vitest';
import { encodeAll, frames, unzstd } from '../../test/decoders.js';
import { zstdStreamCodec } from './zstd-stream.js';

it('writes one frame that never ends, of which each message gives its text at once', () => {
	expect(unzstd(encodeAll(zstdStreamCodec(), frames))).toEqual(frames);
});
