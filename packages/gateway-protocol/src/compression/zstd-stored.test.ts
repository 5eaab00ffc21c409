import fc from 'fast-check';
import { expect, it } from 'vitest';
import { unzstd } from '../../test/decoders.js';
import { StoredZstd } from './zstd-stored.js';

it('decodes to what was written', () => {
	const payloads = fc.array(fc.uint8Array({ minLength: 20, maxLength: 400 }), { minLength: 1, maxLength: 8 });
	fc.assert(
		fc.property(payloads, (list) => {
			const zstd = new StoredZstd();
			const decoded = unzstd(list.map((payload) => zstd.write(Buffer.from(payload))));
			expect(decoded).toEqual(list.map((payload) => Buffer.from(payload).toString()));
		}),
		{ numRuns: 30 },
	);
});

it('splits input that is longer than a block', () => {
	const large = 'x'.repeat(300 * 1024);
	expect(unzstd([new StoredZstd().write(Buffer.from(large))])).toEqual([large]);
});
