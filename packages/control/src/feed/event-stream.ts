// One reader of server-sent events over HTTP. It never waits for the reader: what a slow reader cannot take is skipped and counted, and
// a reader that reads nothing for 30 s is disconnected.
import type { ServerResponse } from 'node:http';
import type { Clock } from '@shardctl/core';
import type { FrameSink } from '../fleet/frame-sink.js';
import { eventFrame } from './event-frame.js';

const stalledAfterMs = 30_000;
const keepAlive = Buffer.from(': keep-alive\n\n');

export class EventStream implements FrameSink {
	readonly #response: ServerResponse;
	readonly #clock: Clock;
	readonly #allowedBytes: () => number;
	readonly #redact: (frame: Buffer) => Buffer;
	#skipped = 0;
	/** Monotonic time since when the buffer has been full; undefined while it is not. */
	#fullSince: number | undefined;

	/**
	 * Sends the head of the response.
	 *
	 * @param allowedBytes How much may wait for this reader now.
	 * @param redact Takes out of a frame what this reader may not get.
	 */
	constructor(
		response: ServerResponse,
		{
			clock,
			allowedBytes,
			redact = (frame) => frame,
		}: { clock: Clock; allowedBytes: () => number; redact?: (frame: Buffer) => Buffer },
	) {
		this.#redact = redact;
		this.#response = response;
		this.#clock = clock;
		this.#allowedBytes = allowedBytes;
		response.writeHead(200, {
			'content-type': 'text/event-stream',
			'cache-control': 'no-store',
			connection: 'close',
			// A proxy in between must not collect what should arrive immediately.
			'x-accel-buffering': 'no',
		});
		response.flushHeaders();
		response.on('drain', () => {
			this.#fullSince = undefined;
			this.#reportSkipped();
		});
	}

	/** Sends a frame, or skips it when the reader is behind. */
	send(shared: Buffer): void {
		const frame = this.#redact(shared);
		const waiting = this.#response.writableLength;
		if (waiting === 0 || waiting + frame.length <= this.#allowedBytes()) {
			this.#response.write(frame);
			return;
		}
		this.#skipped++;
		this.#fullSince ??= this.#clock.monotonic();
	}

	/** Keeps an idle connection in use, and disconnects a reader that has stalled. */
	tick(): void {
		if (this.#fullSince !== undefined && this.#clock.monotonic() - this.#fullSince > stalledAfterMs) this.#response.destroy();
		else if (this.#response.writableLength === 0) this.#response.write(keepAlive);
	}

	end(): void {
		this.#response.end();
	}

	#reportSkipped(): void {
		if (this.#skipped === 0) return;
		const count = this.#skipped;
		this.#skipped = 0;
		this.send(eventFrame({ type: 'skipped', data: { count } }));
	}
}
