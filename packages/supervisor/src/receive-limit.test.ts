import { fork } from 'node:child_process';
import { seededRandom } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { defaultReceiveLimit, limitReceiving, MessageMeter } from './receive-limit.js';

const small = { maxBytes: 1000, maxHeapBytes: 2000 };

function acceptsAll(text: string, limit = small, chunkBytes = 64): boolean {
	const meter = new MessageMeter(limit);
	const bytes = Buffer.from(text);
	for (let at = 0; at < bytes.length; at += chunkBytes) if (!meter.accepts(bytes.subarray(at, at + chunkBytes))) return false;
	return true;
}

describe('finding 15: of the message that arrives', () => {
	it('the length is counted, from the end of the last one', () => {
		expect(acceptsAll(`"${'x'.repeat(990)}"\n`.repeat(50))).toBe(true);
		expect(acceptsAll(`"${'x'.repeat(990)}"\n"${'x'.repeat(1100)}"\n`)).toBe(false);
	});

	it('the lists, objects and values are counted, and not what is in a string', () => {
		expect(acceptsAll(`[${'[],'.repeat(60)}0]\n`)).toBe(false);
		expect(acceptsAll(`[${'{},'.repeat(60)}0]\n`)).toBe(false);
		expect(acceptsAll(`[${'1,'.repeat(200)}0]\n`)).toBe(false);
		expect(acceptsAll(`"${'[],'.repeat(300)}"\n`)).toBe(true);
		expect(acceptsAll(`"${'\\"[],'.repeat(150)}"\n`)).toBe(true);
		expect(acceptsAll(`["\\\\",${'[],'.repeat(60)}0]\n`)).toBe(false);
	});

	it('the same is counted however the text is cut', () => {
		const random = seededRandom(15);
		const text = `${JSON.stringify([['a"b\\', '[{,', { x: [1, '\\\\'] }], 'ü"'])}${' '.repeat(60)}`;
		const limit = { maxBytes: 1e6, maxHeapBytes: 56 * 4 + 16 * 4 + 48 };
		for (let round = 0; round < 200; round++) {
			const chunkBytes = 1 + Math.floor(random() * 40);
			expect(acceptsAll(text, limit, chunkBytes)).toBe(true);
			expect(acceptsAll(text, { ...limit, maxHeapBytes: limit.maxHeapBytes - 1 }, chunkBytes)).toBe(false);
		}
	});
});

it('a result of 20 MiB of small objects, more than a worker lets through, is within the limit', () => {
	const text = JSON.stringify(
		Array.from({ length: 1000 }, (_, id) => ({ id: `12345678901234${id}`, name: 'A guild', members: id })),
	);
	const meter = new MessageMeter(defaultReceiveLimit);
	const bytes = Buffer.from(text);
	for (let sent = 0; sent < 20 * 2 ** 20; sent += bytes.length) expect(meter.accepts(bytes)).toBe(true);
});

it('finds the channel of this version of Node', () => {
	const child = fork('-', [], { execPath: 'true', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
	expect(limitReceiving(child, small, () => {})).toBe(true);
	expect(limitReceiving({}, small, () => {})).toBe(false);
	return new Promise((resolve) => child.once('close', resolve));
});
