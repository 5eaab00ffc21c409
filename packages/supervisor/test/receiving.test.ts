// What a child may send: a message that is too large ends that child, and costs its owner little memory.
import { waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { started } from './real-child.js';

/** Writes straight to the channel, without a message in the memory of the child. */
const writeRaw = (start: string, part: string, bytes: number) => `
	const { writeSync } = require('node:fs');
	const fd = process.channel.fd ?? 3;
	const put = (buffer) => { for (let at = 0; at < buffer.length;) try { at += writeSync(fd, buffer, at); } catch (error) { if (error.code !== 'EAGAIN') throw error; } };
	const part = Buffer.from(${JSON.stringify(part)}.repeat(${Math.ceil(2 ** 20 / part.length)}));
	put(Buffer.from(${JSON.stringify(start)}));
	for (let sent = 0; sent < ${bytes}; sent += part.length) put(part);`;

describe('finding 15: a child whose message', () => {
	it.each([
		['is a text of 300 MB', '"', 'x', 300e6],
		['is 60 MB of empty lists', '[', '[],', 60e6],
		['is 60 MB of keys', '{', '"k":0,', 60e6],
		['never ends', '{"a":[', '0.5,', 1e12],
	])('%s is ended with a code, and its owner keeps its memory and works on', async (_, start, part, bytes) => {
		const { child, run, exits, pids } = await started({ shutdownGraceMs: 500 });
		const neighbour = await started();
		global.gc?.();
		const before = process.memoryUsage.rss();
		let most = 0;
		run(writeRaw(start, part, bytes));
		await waitFor('the end of the child', () => {
			most = Math.max(most, process.memoryUsage.rss() - before);
			return exits.length > 0;
		});
		expect(exits).toMatchObject([
			{
				reason: 'protocol-error',
				message: expect.stringContaining('it sent a message that is larger than a process may send (MESSAGE_TOO_LARGE)'),
			},
		]);
		expect(most).toBeLessThan(450 * 2 ** 20);
		expect(pids).toHaveLength(1);
		expect([child.pid, neighbour.child.state]).toEqual([null, 'ready']);
	});
});

it('a message of 64 MB arrives', async () => {
	const { run, messages, exits } = await started();
	run("process.send({ text: 'x'.repeat(64 * 2 ** 20) })");
	await waitFor('the message', () => messages.length > 0);
	expect((messages[0] as { text: string }).text).toHaveLength(64 * 2 ** 20);
	expect(exits).toEqual([]);
});
