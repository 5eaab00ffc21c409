import { Duplex } from 'node:stream';
import { expect, it } from 'vitest';
import { type FromProgram, LineChannel } from './line-channel.js';

/** The manager's end of a descriptor; `written` is what the program has got. */
function setup({ reads = true } = {}) {
	const written: string[] = [];
	const stream = new Duplex({
		read() {},
		write(chunk: Buffer, _encoding, done) {
			written.push(String(chunk));
			if (reads) done();
		},
	});
	const messages: FromProgram[] = [];
	const broken: string[] = [];
	const channel = new LineChannel({
		stream,
		onMessage: (message) => messages.push(message),
		onBroken: (error) => broken.push(`${error.code}: ${error.message}`),
	});
	const says = async (...parts: string[]) => {
		for (const part of parts) stream.push(part);
		await new Promise(setImmediate);
	};
	return { channel, says, messages, broken, written, stream };
}

it('reads messages however their bytes are divided', async () => {
	const { says, messages, broken } = setup();
	await says('{"type":"hello","hand', 'lers":["a"]}\n\n{"type":"reply","id":1,"result":{"n":', '2}}\n{"type":"reply"');
	await says(',"id":2,"error":{"message":"no","code":"X"}}\n');
	expect(messages).toEqual([
		{ type: 'hello', handlers: ['a'] },
		{ type: 'reply', id: 1, result: { n: 2 } },
		{ type: 'reply', id: 2, error: { message: 'no', code: 'X' } },
	]);
	expect(broken).toEqual([]);
});

it.each([
	['not JSON\n', /wrote a line that is not JSON/],
	['5\n', /wrote a message of another form/],
	['{"type":"eval"}\n', /wrote a message of another form/],
	['{"type":"call","id":-1,"name":"a"}\n', /wrote a message of another form/],
	['{"type":"call","id":1,"name":""}\n', /wrote a message of another form/],
	[`${'x'.repeat(1024 * 1024 + 1)}`, /wrote a line of more than 1048576 bytes/],
])('closes the descriptor after %.30j, once, and reads no more', async (text, problem) => {
	const { says, messages, broken, channel } = setup();
	await says(text, '{"type":"hello"}\n', text);
	expect(broken).toEqual([expect.stringMatching(problem)]);
	expect(messages).toEqual([]);
	expect(() => channel.send({ type: 'shutdown', reason: '' })).toThrow(expect.objectContaining({ code: 'CHANNEL_CLOSED' }));
});

it('writes one line per message, and refuses what is too large or cannot be written', () => {
	const { channel, written } = setup();
	channel.send({ type: 'call', id: 1, name: 'a', args: [{ text: 'a\nb' }] });
	expect(written).toEqual(['{"type":"call","id":1,"name":"a","args":[{"text":"a\\nb"}]}\n']);
	const sends = (args: unknown[]) => () => channel.send({ type: 'call', id: 2, name: 'a', args });
	expect(sends(['x'.repeat(1024 * 1024)])).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }));
	expect(sends([1n])).toThrow(expect.objectContaining({ code: 'NOT_SERIALIZABLE' }));
	expect(written).toHaveLength(1);
});

it('keeps a bounded amount for a program that does not read', () => {
	const { channel } = setup({ reads: false });
	const args = ['x'.repeat(1000 * 1000)];
	const fill = () => {
		for (let id = 0; id < 20; id++) channel.send({ type: 'call', id, name: 'a', args });
	};
	expect(fill).toThrow(expect.objectContaining({ code: 'CALL_LIMIT' }));
});
