import { constants } from 'node:zlib';
import { Deflate } from 'minizlib';
import { expect, it } from 'vitest';
import type { Dispatch } from '../state/raw.js';
import { MessageReader } from './message-reader.js';

/** The library's shard, as far as it handles messages: what it is given after unpacking is kept. */
class Shard {
	handled: unknown = null;
	connection: { binaryType: string } | null = null;

	onMessage(data: unknown): void {
		this.handled = this.unpackMessage(data);
	}

	unpackMessage(_data: unknown): unknown {
		throw new Error('its own must not be used');
	}

	/** A message arrives; returns the payload that the library handles, null for none. */
	receive(data: string | ArrayBuffer | Buffer): unknown {
		this.handled = null;
		this.onMessage(data);
		return this.handled;
	}
}

function setup() {
	const shard = new Shard();
	const broken: string[] = [];
	const failed: string[] = [];
	const events: [dispatch: Dispatch, seq: number][] = [];
	const reader = new MessageReader(shard as never, {
		onDispatch: (...event) => events.push(event),
		onBroken: (reason) => broken.push(reason),
		onFailed: (error, type) => failed.push(`${type}: ${String(error)}`),
	});
	return { shard, reader, broken, events, failed };
}

function compressor(): (text: string) => ArrayBuffer {
	const deflate = new Deflate({ flush: constants.Z_SYNC_FLUSH });
	let pieces: Buffer[] = [];
	deflate.on('data', (piece) => pieces.push(piece));
	return (text) => {
		deflate.write(Buffer.from(text));
		const message = Uint8Array.from(Buffer.concat(pieces));
		pieces = [];
		return message.buffer;
	};
}

it('reads text and compressed messages synchronously, so that none overtakes another', () => {
	const { shard } = setup();
	const compress = compressor();
	expect(shard.receive('{"op":10}')).toEqual({ op: 10 });
	expect(shard.receive(compress('{"op":11}'))).toEqual({ op: 11 });
	expect(shard.receive(compress('{"op":7}'))).toEqual({ op: 7 });
});

it('has binary messages of a connection given to it without a copy, from the first one on', () => {
	const { shard } = setup();
	const compress = compressor();
	shard.connection = { binaryType: 'arraybuffer' };
	expect(shard.receive(compress('{"op":10}'))).toEqual({ op: 10 });
	expect(shard.connection.binaryType).toBe('nodebuffer');
	const bytes = Buffer.from(compress('{"op":11}'));
	const within = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]).subarray(6, 6 + bytes.length);
	expect(shard.receive(within)).toEqual({ op: 11 });
});

it('passes events on at once with their text, and hides them from the library except those it needs', () => {
	const { shard, events } = setup();
	const ready = { op: 0, t: 'READY', s: 1, d: { v: 10 } };
	const message = { op: 0, t: 'MESSAGE_CREATE', s: 2, d: {} };
	expect(shard.receive(JSON.stringify(ready))).toEqual(ready);
	expect(shard.receive(JSON.stringify(message))).toBeNull();
	expect(events).toEqual([ready, message].map((event) => [{ t: event.t, d: event.d, text: JSON.stringify(event) }, event.s]));
});

it('yields nothing for an incomplete message', () => {
	const { shard } = setup();
	const message = compressor()('{"op":11}');
	expect(shard.receive(message.slice(0, 5))).toBeNull();
	expect(shard.receive(message.slice(5))).toEqual({ op: 11 });
});

it('ignores an empty frame, plain or compressed', () => {
	const { shard, broken } = setup();
	const compress = compressor();
	expect(shard.receive(compress('{"op":10}'))).toEqual({ op: 10 });
	expect(shard.receive(Uint8Array.from([0, 0, 0, 255, 255]).buffer)).toBeNull();
	expect(shard.receive('')).toBeNull();
	expect(shard.receive(compress('{"op":11}'))).toEqual({ op: 11 });
	expect(broken).toEqual([]);
});

it.each([
	['text that is no JSON', '{"op":', /is not valid JSON/],
	['bytes that do not inflate', new Uint8Array([1, 2, 3, 4, 0, 0, 255, 255]).buffer, /cannot be decompressed: ./],
])('reads nothing after %s, until the next connection', (_, bad, reason) => {
	const { shard, reader, broken } = setup();
	expect(shard.receive(bad)).toBeNull();
	expect(broken).toEqual([expect.stringMatching(reason)]);
	expect(shard.receive('{"op":11}')).toBeNull();
	expect(broken).toHaveLength(1);
	reader.reset();
	expect(shard.receive(compressor()('{"op":10}'))).toEqual({ op: 10 });
});

it('reports an event whose handler throws, skips it, and reads on', () => {
	const { shard, events, failed } = setup();
	const { push } = events;
	events.push = () => {
		throw new TypeError('a bug');
	};
	expect(shard.receive('{"op":0,"t":"MESSAGE_CREATE","s":1,"d":{}}')).toBeNull();
	events.push = push;
	expect(shard.receive('{"op":0,"t":"MESSAGE_CREATE","s":2,"d":{}}')).toBeNull();
	expect(failed).toEqual(['MESSAGE_CREATE: TypeError: a bug']);
	expect(events).toHaveLength(1);
});
