import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { eventFrame } from '../feed/event-frame.js';
import { parseEvent, readEvents } from './sse-reader.js';

async function read(chunks: readonly (string | Buffer)[]) {
	const stream = new PassThrough();
	for (const chunk of chunks) stream.write(chunk);
	stream.end();
	const events = [];
	for await (const event of readEvents(stream as unknown as IncomingMessage)) events.push(event);
	return events;
}

describe('a stream of events', () => {
	it('parses frames, wherever the chunks are cut', async () => {
		const frame = eventFrame({ type: 'log', id: 7, data: { line: 'äö\n\nü' } });
		for (let cut = 1; cut < frame.length; cut++) {
			expect(await read([frame.subarray(0, cut), frame.subarray(cut)])).toEqual([{ type: 'log', data: { line: 'äö\n\nü' } }]);
		}
	});

	it('skips comments and an incomplete end', async () => {
		expect(await read([': still here\n\n', 'event: a\ndata: 1\n\n', 'event: b\nda'])).toEqual([{ type: 'a', data: 1 }]);
	});
});

it('joins data of several lines', () => {
	expect(parseEvent('data: [1,\ndata: 2]')).toEqual({ type: 'message', data: [1, 2] });
	expect(parseEvent(': comment')).toBeUndefined();
});
