import type { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as ws from 'ws';
import { readFrames } from './frame-reader.js';

/** The receiver of `ws`, which its types leave out. */
const { Receiver } = ws as unknown as {
	Receiver: new () => EventEmitter & { write(chunk: Buffer): boolean; writableEnded: boolean; errored: Error | null };
};

const kind = { text: 0x81, binary: 0x82, textBegin: 0x01, textEnd: 0x80, ping: 0x89, close: 0x88 };
/** Without content, and with extensions that were not agreed. */
const invalid = Buffer.from([0xf1, 0]);

function frame(first: number, payload: Buffer): Buffer {
	const { length } = payload;
	if (length < 126) return Buffer.concat([Buffer.from([first, length]), payload]);
	const head = Buffer.alloc(length < 65_536 ? 4 : 10);
	head[0] = first;
	head[1] = length < 65_536 ? 126 : 127;
	if (length < 65_536) head.writeUInt16BE(length, 2);
	else head.writeBigUInt64BE(BigInt(length), 2);
	return Buffer.concat([head, payload]);
}

const text = (content: string) => frame(kind.text, Buffer.from(content));

/** A connection that is read: what arrives, and which of the two has read it. */
function setup() {
	const receiver = new Receiver();
	const connection = { onmessage: (() => {}) as unknown, _receiver: receiver };
	const messages: string[] = [];
	const by = { us: 0, ws: 0 };
	const errors: string[] = [];
	receiver.on('message', (data: Buffer) => {
		by.ws++;
		messages.push(data.toString());
	});
	receiver.on('error', ({ message }: Error) => errors.push(message));
	const onMessage = (message: string | Buffer) => {
		by.us++;
		messages.push(message.toString());
	};
	readFrames(connection, onMessage);
	return { connection, receiver, messages, by, errors };
}

it('reads whole messages itself, however the socket cuts them', () => {
	const contents = ['', '{"op":11}', 'x'.repeat(125), 'x'.repeat(126), 'é€😀'.repeat(30), 'x'.repeat(65_535)];
	const bytes = Buffer.concat([...contents.map(text), frame(kind.binary, Buffer.from('binary'))]);
	const { receiver, messages, by } = setup();
	expect(receiver.write(bytes)).toBe(true);
	expect(messages).toEqual([...contents, 'binary']);
	expect(by).toEqual({ us: 7, ws: 0 });
	const bytewise = setup();
	const short = Buffer.concat(['one', 'x'.repeat(126), 'three'].map(text));
	for (const byte of short) bytewise.receiver.write(Buffer.from([byte]));
	expect(bytewise.messages).toEqual(['one', 'x'.repeat(126), 'three']);
});

it('gives every other frame to ws, and reads what follows it', () => {
	const { receiver, messages, by } = setup();
	const pings: string[] = [];
	receiver.on('ping', (data: Buffer) => pings.push(data.toString()));
	const large = 'x'.repeat(70_000);
	receiver.write(Buffer.concat([frame(kind.ping, Buffer.from('are you there')), text('one'), text(large), text('two')]));
	expect(pings).toEqual(['are you there']);
	expect(by).toEqual({ us: 2, ws: 1 });
	receiver.write(Buffer.concat([text('three'), frame(kind.textBegin, Buffer.from('fo'))]));
	receiver.write(Buffer.concat([frame(kind.textEnd, Buffer.from('ur')), text('five')]));
	receiver.write(text('six'));
	expect(messages).toEqual(['one', large, 'two', 'three', 'four', 'five', 'six']);
	expect(by).toEqual({ us: 4, ws: 3 });
});

it('is never behind: after a message that was cut, which ws reads, it reads the next one itself', () => {
	const { receiver, by } = setup();
	const both = Buffer.concat([text('the first'), text('the second')]);
	receiver.write(both.subarray(0, 5));
	receiver.write(both.subarray(5, 15));
	receiver.write(both.subarray(15));
	receiver.write(text('the third'));
	expect(by).toEqual({ us: 1, ws: 2 });
});

it.each([
	['a close frame', frame(kind.close, Buffer.from([0x03, 0xe8])), 0],
	['an invalid frame', invalid, 1],
])('discards what follows %s, in the same chunk and in the next ones', async (_, last, errorCount) => {
	const { receiver, messages, errors } = setup();
	const behind = [text('behind'), frame(kind.ping, Buffer.from('ping')), frame(kind.close, Buffer.alloc(0)), text('behind')];
	receiver.write(Buffer.concat([text('before'), last, ...behind]));
	receiver.write(Buffer.concat(behind));
	// Streams report errors after the turn.
	await new Promise((resolve) => setImmediate(resolve));
	expect(messages).toEqual(['before']);
	expect(errors).toHaveLength(errorCount);
});

it('delivers what ws alone delivers, and fails as it does, for any frames cut anywhere', async () => {
	const content = fc.oneof(
		fc.string({ unit: 'binary', maxLength: 40 }),
		fc.constantFrom(...[125, 126, 300, 65_535, 65_536].map((length) => 'x'.repeat(length))),
	);
	const frames = fc.oneof(
		{ weight: 6, arbitrary: content.map((of) => [text(of)]) },
		{ weight: 2, arbitrary: content.map((of) => [frame(kind.binary, Buffer.from(of))]) },
		{ weight: 1, arbitrary: fc.constant([frame(kind.ping, Buffer.from('ping'))]) },
		{
			weight: 1,
			arbitrary: content.map((of) => [frame(kind.textBegin, Buffer.from(of)), frame(kind.textEnd, Buffer.from('end'))]),
		},
		{ weight: 1, arbitrary: fc.constantFrom(frame(kind.close, Buffer.from([0x03, 0xe8])), invalid).map((of) => [of]) },
	);
	await fc.assert(
		fc.asyncProperty(fc.array(frames, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 12 }), async (sent, cuts) => {
			const bytes = Buffer.concat(sent.flat());
			const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((one, other) => one - other);
			const alone = new Receiver();
			const expected: string[] = [];
			alone.on('message', (data: Buffer) => expected.push(data.toString()));
			const expectedErrors: string[] = [];
			alone.on('error', ({ message }: Error) => expectedErrors.push(message));
			const { receiver, messages, errors } = setup();
			let from = 0;
			for (const end of ends) {
				if (end > from) {
					// Its client gives it nothing more then.
					if (!alone.writableEnded && !alone.errored) alone.write(Buffer.from(bytes.subarray(from, end)));
					receiver.write(Buffer.from(bytes.subarray(from, end)));
				}
				from = end;
			}
			await new Promise((resolve) => setImmediate(resolve));
			expect(errors).toEqual(expectedErrors);
			expect(messages).toEqual(expected);
		}),
		{ numRuns: 200 },
	);
});

it.each([
	['text that is no UTF-8', frame(kind.text, Buffer.from([0xc3, 0x28])), /UTF-8/],
	['a masked message', Buffer.from([kind.text, 0x81, 1, 2, 3, 4, 5]), /MASK/],
	['an extension that was not agreed', frame(kind.text | 0x40, Buffer.from('x')), /RSV1/],
])('leaves it to ws to refuse %s', async (_, bad, reason) => {
	const { receiver, errors, by } = setup();
	receiver.write(Buffer.concat([text('good'), bad]));
	await expect.poll(() => errors).toEqual([expect.stringMatching(reason)]);
	expect(by).toEqual({ us: 1, ws: 0 });
});

it('takes nothing more once the owner wants no message', () => {
	const { connection, receiver, by } = setup();
	receiver.write(text('one'));
	connection.onmessage = null;
	receiver.write(Buffer.concat([text('two'), text('three')]));
	expect(by).toEqual({ us: 1, ws: 2 });
});

it('lets a ws whose receiver it does not know read everything', () => {
	const chunks: Buffer[] = [];
	const receiver = { write: (chunk: Buffer) => chunks.push(chunk) > 0 };
	readFrames({ onmessage: () => {}, _receiver: receiver }, () => expect.fail('it must not read'));
	receiver.write(text('one'));
	expect(Buffer.concat(chunks)).toEqual(text('one'));
	expect(() => readFrames({}, () => {})).not.toThrow();
});
