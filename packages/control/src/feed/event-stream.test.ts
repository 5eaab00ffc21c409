import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { eventFrame } from './event-frame.js';
import { EventStream } from './event-stream.js';

/** A response whose reader reads nothing until the test resumes it. */
class StalledResponse extends EventEmitter {
	writableLength = 0;
	written: string[] = [];
	destroyed = false;
	writeHead() {}
	flushHeaders() {}
	end() {}
	write(frame: Buffer) {
		this.writableLength += frame.length;
		this.written.push(frame.toString());
	}
	destroy() {
		this.destroyed = true;
	}
	read() {
		this.writableLength = 0;
		this.emit('drain');
	}
}

const frame = eventFrame({ type: 'x', data: 'y'.repeat(80) });

function stalled(allowed = 300) {
	const clock = fakeClock();
	const response = new StalledResponse();
	const stream = new EventStream(response as unknown as ServerResponse, { clock, allowedBytes: () => allowed });
	return { clock, response, stream };
}

it('queues up to the limit for a slow reader, skips the rest, and reports how many when the reader continues', () => {
	const { response, stream } = stalled();
	for (let i = 0; i < 10; i++) stream.send(frame);
	expect(response.writableLength).toBeLessThanOrEqual(300);
	const kept = response.written.length;
	response.read();
	expect(response.written.at(-1)).toContain(`event: skipped\ndata: {"count":${10 - kept}}`);
	response.read();
	expect(response.written.filter((text) => text.includes('skipped'))).toHaveLength(1);
});

it('sends a frame over the limit to a reader with an empty queue', () => {
	const { response, stream } = stalled(10);
	stream.send(frame);
	expect(response.written).toHaveLength(1);
});

it('disconnects a reader that has read nothing for half a minute, and not earlier', async () => {
	const { clock, response, stream } = stalled();
	for (let i = 0; i < 10; i++) stream.send(frame);
	await clock.advance(29_000);
	stream.tick();
	expect(response.destroyed).toBe(false);
	await clock.advance(2000);
	stream.tick();
	expect(response.destroyed).toBe(true);
});

it('keeps an idle connection alive', () => {
	const { response, stream } = stalled();
	stream.tick();
	expect(response.written).toEqual([': keep-alive\n\n']);
});
