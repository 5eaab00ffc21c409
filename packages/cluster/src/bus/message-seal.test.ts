import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { keyId, MessageSeal } from './message-seal.js';

const options = { secret: 'a secret of many characters', applicationId: '1' };

it('seals with the HMAC of node, whatever the length of the message', () => {
	const seal = new MessageSeal(options);
	const key = Buffer.from(hkdfSync('sha256', options.secret, options.applicationId, 'shardctl cluster messages 1', 32));
	for (const length of [1, 31, 32, 33, 63, 64, 65, 200, 5000]) {
		const text = `ä${randomBytes(length).toString('hex')}`;
		const sealed = seal.seal(text);
		expect(sealed.subarray(0, 32)).toEqual(createHmac('sha256', key).update(text).digest());
		expect(seal.open(sealed)).toBe(text);
	}
});

it('opens nothing that was changed, cut, or sealed with another secret or for another application', () => {
	const seal = new MessageSeal(options);
	const sealed = seal.seal('hello');
	for (const index of sealed.keys()) {
		const changed = Buffer.from(sealed);
		changed[index] = (changed[index] as number) ^ 1;
		expect(seal.open(changed)).toBeUndefined();
	}
	for (const length of [0, 1, 31, 32, 36]) expect(seal.open(sealed.subarray(0, length))).toBeUndefined();
	for (const other of [
		{ ...options, secret: 'another secret of the kind' },
		{ ...options, applicationId: '2' },
	]) {
		expect(new MessageSeal(other).open(sealed)).toBeUndefined();
		expect(keyId(other)).not.toBe(keyId(options));
	}
});
