import { ShardctlError } from '@shardctl/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { atOnce } from '../../test/support/at-once.js';
import { FrozenGuild } from './frozen-guild.js';
import { GuildRecord } from './guild-record.js';
import { decodeSnapshot, encodeSnapshot } from './snapshot-format.js';

function snapshot() {
	const record = new GuildRecord({ id: '1', name: '☕', members: [{ user: { id: '2' } }] });
	return {
		ready: { user: { id: '9', username: 'bot' } },
		guilds: [
			{ id: '1', content: FrozenGuild.of(record, 'plain') },
			{ id: '2', content: undefined },
			{ id: '3', content: FrozenGuild.of(record, 'deflate') },
		],
	};
}

function encode(): Buffer {
	const { ready, guilds } = snapshot();
	return atOnce(encodeSnapshot(ready, guilds.length, guilds));
}

function codeOf(bytes: Uint8Array): unknown {
	try {
		decodeSnapshot(bytes);
		return 'read';
	} catch (error) {
		return ShardctlError.is(error) ? error.code : error;
	}
}

describe('a snapshot', () => {
	it('is read as it was written, at any offset in memory', () => {
		const bytes = encode();
		const shifted = new Uint8Array(bytes.length + 3);
		shifted.set(bytes, 3);
		for (const where of [bytes, shifted.subarray(3)]) {
			const { ready, guilds } = decodeSnapshot(where);
			expect(ready).toEqual(snapshot().ready);
			expect(guilds.map(({ id, content }) => [id, content?.thaw().toCreate()])).toEqual(
				snapshot().guilds.map(({ id, content }) => [id, content?.thaw().toCreate()]),
			);
			expect(guilds.map(({ content }) => content?.users)).toEqual(snapshot().guilds.map(({ content }) => content?.users));
		}
	});

	it('is rejected at every other length', () => {
		const bytes = encode();
		for (let length = 0; length < bytes.length; length++) expect(codeOf(bytes.subarray(0, length))).toBe('SNAPSHOT_INVALID');
		expect(codeOf(Buffer.concat([bytes, Buffer.from('x')]))).toBe('SNAPSHOT_INVALID');
	});

	it('is rejected when one byte differs', () => {
		const bytes = encode();
		fc.assert(
			fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
				const damaged = Buffer.from(bytes);
				damaged[at] = (damaged[at] ?? 0) ^ flip;
				expect(codeOf(damaged)).toBe('SNAPSHOT_INVALID');
			}),
		);
	});

	it('reports its version when that is not the current one', () => {
		const bytes = encode();
		bytes.writeUInt32LE(7, 4);
		expect(() => decodeSnapshot(bytes)).toThrow(/version 7/);
	});
});
