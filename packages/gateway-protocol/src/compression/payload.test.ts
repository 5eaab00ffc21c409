import { inflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { payloadCodec } from './payload.js';

it('turns large packets into separate zlib documents, and leaves small ones as text', () => {
	const large = JSON.stringify({ op: 0, d: 'x'.repeat(5000) });
	expect(payloadCodec.encode('{"op":11}')).toBe('{"op":11}');
	expect(inflateSync(payloadCodec.encode(large)).toString()).toBe(large);
	expect(inflateSync(payloadCodec.encode(large)).toString()).toBe(large);
});
